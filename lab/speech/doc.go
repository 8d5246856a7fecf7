// Package speech is voices in the lab, and ears: what espeak-ng says is real enough speech for codecs, cancellers and
// gates, and what arrives of it is found again by correlation.
//
//	Say     a sentence as sound
//	Compare how late, and how faithfully, each piece of what was said was heard
//
// Compare is pure; it knows nothing of how the sound got from one place to the other.
package speech
