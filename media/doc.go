// Package media moves encoded pictures and voice as RTP packets: from a source onto as many links as the plan names, and from as
// many links back into one stream. It knows nothing of networks, devices or decisions, and imports pion/rtp for the packet's type,
// media/content for what can be wrong with a picture or a sound, and the standard library, nothing else.
//
// # The life of a packet
//
//	Source → Fanout → Leg → (a link, the network, a link) → MergerLeg → Merger → Fanout → Leg → a viewer
//
// A Source (media/device, media/synthetic) makes one encoded stream. The room's Fanout numbers it, keeps the newest packets, and copies
// each to the legs that are selected; each leg has its own bounded queue and goroutine. At the far end the Merger passes on the first copy of
// each packet and drops the others, so while two copies run, losing a link loses nothing. Where one copy ran, Leg.Replay sends what the
// far end does not have over the next leg. What is missing on all legs the Merger asks for (Repairs), and Leg.Resend answers.
// The far end's Fanout does for the viewers what the room's does for the links, and Rebase hides from them that a source, or
// the whole agent, was replaced.
//
// # Invariants
//
//	M1 A packet handed to a Sink is frozen: nobody changes it or its payload, so it may be kept.
//	M2 A producer never waits: Fanout.WriteRTP returns at once, whatever its legs do. What does not fit is dropped and counted.
//	M3 A leg cannot delay another leg.
//	M4 A Fanout's numbers never jump of themselves: they have the gaps and the order of the producer, and go on by one when that changes.
//	M5 A Merger passes each packet on at most once, at once, and asks for none that a living leg may still bring.
//	M6 Merger's books balance: highest - first + 1 = received + lost + missing, apart from what came from before the first.
//	M7 A leg that has sent never falls 2^15 numbers behind its stream, because SRTP would then throw its packets away (RFC 3711 section 3.3.1).
//
// # Beside the path
//
// Filter and Extender are the two small tools of numbering. KeyFrameGate holds back storms of key frame requests. H264KeyFrame and
// H264FrameStart look into a payload. Pattern and Tone draw and sing when there is no camera and no microphone; Beat is when both do so at once. Health is what a source knows
// about its device.
//
// Times are package time's, so tests run in a testing/synctest bubble. The cost of each part is printed by go test -bench . ./media.
package media
