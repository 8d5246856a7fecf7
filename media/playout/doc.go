// Package playout decides when a voice that comes over a network is played. It is pure: time is an argument, packets go in,
// and for each frame that the loudspeaker wants comes the answer what to make it of. It decodes nothing and plays nothing;
// package media/room does, and reads [Step].
//
//	RTP packet ──► Buffer.Put(at, timestamp, payload)
//	loudspeaker ─► Buffer.Next(at) ──► Step{Decode | Correct | Conceal | Silence, Stretch}
//
// # How late voice is played
//
// A packet's delay is its arrival against its timestamp, above the smallest of the last two seconds. A histogram of these
// delays with a fading memory, as WebRTC's NetEq keeps one, gives the delay within which nearly all packets come: the
// target, between Config.Least and Config.Most. Playing is brought to the target a pitch period at a time ([Stretch]),
// never by more than a tenth of the speed, so that nobody hears it.
//
// # What is played when a packet is not there
//
//  1. The next one is there: the missing one is taken from the copy inside it (Opus' in-band FEC, RFC 6716 2.1.7).
//  2. A later one is there: it is made up (concealment).
//  3. None is there: it is made up, and time stands still: what comes late is still played, later than wanted, and the lead is
//     won back by and by. After GiveUp the voice has ended; silence is played until another begins.
//  4. Voice that is FarBehind the target is left out: an old sentence helps nobody.
//
// # Invariants
//
//	P1 what is played is in the order of its timestamps, and nothing is played twice
//	P2 while the voice goes on, it is never more than target + FarBehind late
//	P3 every packet put in is played, or counted: Late, Skipped, Again, Bad, or given up by a new stream (Flushed)
package playout
