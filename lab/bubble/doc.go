// Package bubble is the whole system in memory: agent, gateway and real WebRTC peers over a virtual network inside a
// testing/synctest bubble, where time is virtual. A minute of it takes seconds, and its gaps and times to switch are exact to
// the packet, though not the same to the bit from run to run: goroutines still race.
//
//	room ─ agent ─┬─ emu: primary ──┬─ gateway ─┬─ viewer     counts what comes from the room
//	   │          └─ emu: cellular ─┘           └─ physician  talks into the room
//	   └─ room viewer                                         counts what comes back
//
// There is a second gateway, which most stories never see: the box goes there when the first is gone.
//
// The agent's uplinks are emu.Net around virtual hosts; everything else is on the virtual network directly. HTTP goes over
// pipes: there is no real socket anywhere, for a bubble cannot wait for one.
package bubble
