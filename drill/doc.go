// Package drill runs a failover drill: the preferred uplink is really cut, what that costs is measured at both ends, the uplink is
// given back, and its return is waited for. The package decides; the agent's loop cuts and measures. It is pure: time is an argument,
// what should be true is the answer.
//
//	Looking ── no fault found ──► Cutting ── the time is over ──► Returning ── it carries everything again ──► Over
//	   │ a fault, or too late        │ a procedure opens, the spare fails, a stop     │ a procedure opens, a stop, too late
//	   └────────────► Over ◄─────────┴─────────────── (given back at once) ──────────┘
//
// # What it tests, and what not
//
// Packets vanish at the uplink's own sockets, both ways, without an error: what a dead line behind a living modem looks like. So
// noticing, switching, merging at the far end and the way back are tested, with the room's own devices, over the room's own lines.
// A pulled cable, a router that refuses, and two uplinks that hang on one power strip are not: for these, pull them.
//
// # Invariants
//
//	R1 nothing is cut outside Cutting, and Cutting never lasts longer than Order.For
//	R2 nothing is cut while a procedure is open, a stop is under way, or no other uplink works without
//	   doubt
//	R3 it passes only by figures that were measured, each within its bound
//	R4 it ends: within LookWithin + Order.For + BackWithin + settling
//	R5 what was broken off is not passed, and says why
package drill
