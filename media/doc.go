// Package media moves encoded pictures and voice as RTP packets. It knows nothing of networks, devices or decisions: it
// imports pion/rtp for the packet's type and the standard library, nothing else.
package media
