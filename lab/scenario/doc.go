// Package scenario is the stories that every world plays: what is done to the uplinks, when, and what may be seen of it at
// the far end. The same file runs in memory (lab/bubble) and with real programs in network namespaces (lab/netns).
//
// A file is lines of text. What stands behind a # is a comment; the lines before the first statement are the story in
// plain words and must be there.
//
//	length 60s                              how long it lasts, at most a minute
//	uplink primary 20ms                     a way out of the room and its round trip; their order is the preference
//	uplink cellular 60ms metered
//	protect voice always                    always, on-doubt or never
//	protect video always
//	at 20s cut primary                      what happens when; see below
//	expect voice.lost = 0                   what must be true of the result; its names are those of the JSON line
//	end voice primary cellular              at the end exactly these uplinks carry the stream
//
// Time 0 is when both links are up and every observer receives both streams. What can happen to an uplink:
//
//	cut NAME [up|down]          black hole, both directions or one (up: away from the room); nobody is told
//	loss NAME 30% [up|down]     so many datagrams lost, each on its own
//	delay NAME 300ms [up|down]  so much more than at rest, each way
//	jitter NAME 50ms [up|down]  up to so much more for each packet, order kept
//	rate NAME 1000 [up|down]    kbit/s, with a queue of 64 KiB before it
//	restore NAME                all of that is over
//	ifdown NAME                 the interface goes down: sending fails at once
//	ifup NAME                   and comes back
//
// Expectations ending in _ms hold where time is virtual; in a world on real clocks they are printed and prove nothing.
// Counts hold everywhere.
package scenario
