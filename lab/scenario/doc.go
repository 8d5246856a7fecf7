// Package scenario is the stories that every world plays: what is done to the uplinks, when, and what may be seen of it at
// the far end. The same file runs in memory (lab/bubble) and with real programs in network namespaces (lab/netns).
//
// A file is lines of text. What stands behind a # is a comment; the lines before the first statement are the story in
// plain words and must be there.
//
//	length 60s                              how long it lasts, at most a minute
//	uplink primary 20ms                     a way out of the room and its round trip; their order is the preference
//	uplink cellular 60ms metered
//	protect voice always                    always, on-doubt, by-cost or never; default: as a box that is told nothing
//	protect video always
//	also namespaces                         real programs in network namespaces play it too (make lab)
//	at 20s cut primary                      what happens when; see below
//	expect voice.lost = 0                   what must be true of the result; its names are those of the JSON line
//	expect unnoticed                        targets G1 and G2 both ways: nothing lost, no gap beyond cadence and skew
//	owed voice.lost = 0                     what users need and we do not reach yet, with the reason beside it
//	end voice primary cellular              at the end exactly these uplinks carry the stream
//	end farend second                       at the end the room is at this far end
//
// Time 0 is when both links are up and every observer receives both streams. What can happen to an uplink:
//
//	cut NAME [up|down]              black hole, both directions or one (up: away from the room); nobody is told
//	block NAME udp|tcp [up|down]    a firewall: datagrams vanish and streams pass, or streams stand still and datagrams pass
//	loss NAME 30% [up|down]         so many datagrams lost, each on its own
//	burst NAME 5% [200ms] [up|down] so much of the time lost, in holes of that mean length (Gilbert-Elliott)
//	duplicate NAME 5% [up|down]     so many datagrams arrive twice
//	delay NAME 300ms [up|down]      so much more than at rest, each way
//	jitter NAME 50ms [up|down]      up to so much more for each packet, order kept
//	reorder NAME 50ms [up|down]     the same, and packets overtake each other
//	rate NAME 1000 [queue 250kB] [up|down]   kbit/s, with so many bytes of queue before it (64 KiB), the tail dropped
//	trace NAME FILE [from 30s] [queue 250kB] [up|down]   the capacity of a recorded link (mahimahi's format)
//	mtu NAME 1000 [up|down]         what is larger vanishes: of UDP's payload in memory, of IP packets in namespaces
//	restore NAME                    all of that is over
//	ifdown NAME                     the interface goes down: sending fails at once
//	ifup NAME                       and comes back
//
// And in the room, by the button on the box's status page:
//
//	procedure open|closed           contrast or its observation begins, or is over
//
// And at the other side, where there are two, first and second, and the room begins at the first (in memory only). Whoever
// looks or talks has both of them open, and signs in again at one that is back:
//
//	farend down NAME                its machine is off: nothing answers, nothing refuses, and what it knew is gone
//	farend up NAME                  it is back, its program newly started
//	farend restart NAME             its program ends and is started again at once
//
// NAME may be several uplinks, with a comma between. An event may end by itself, come again, and an amount may be a ramp in
// steps of a second:
//
//	at 20s cut primary for 10s
//	at 10s every 6s until 40s cut primary,cellular for 3s
//	at 15s loss primary 5%..60% over 30s
//
// Recorded links do not come with the program: SCANSIDE_TRACES names the folder they lie in.
//
// Expectations ending in _ms hold where time is virtual; in a world on real clocks they are printed and prove nothing.
// Counts hold everywhere.
package scenario
