// Package synthetic makes RTP streams without any encoder and counts what is left of them at the far end.
package synthetic
