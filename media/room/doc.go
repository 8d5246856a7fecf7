// Package room is where the room hears the physician: the voice that comes back, decoded and played by a loudspeaker, and
// the echo of it taken out of the microphone's sound. It needs C: libopus, ALSA, WebRTC's audio processing.
//
// cmd/scanside builds the parts; the agent knows [Loudspeaker] as the sink of the merged return path, and never imports this
// package.
//
//	merged RTP ─► Loudspeaker.WriteRTP ─► playout.Buffer ─► libopus ─► volume ─► ALSA
//	                                                                     └─► Echo (what the microphone will hear again)
//
// # Promises
//
//  1. Run ends when its context does. A loudspeaker that is absent, busy, pulled out or hung is retried for ever, the first
//     of the configured ones that is there.
//  2. What is played is decided by package playout; nothing is played twice or out of order.
//  3. A loudspeaker that does not take sound is said within a second, with a sentence a technician can act on: without it
//     the room cannot hear the supervisor, and supervision is not available.
//  4. What is done about echo works on 10 ms, adds no more than the canceller's own few milliseconds, and leaves a speakerphone alone.
//  5. The volume never passes the configured maximum, and never is nothing: a loudspeaker that works is heard.
//
// # Goroutines
//
// The sound library's thread asks for 10 ms at a time and decodes what it needs itself: one stage less to wait in. WriteRTP
// only puts a packet into the buffer. Run watches the device. A driver that hangs keeps its goroutine; there are at most
// maxHung of them, then no other is tried until one comes back.
package room
