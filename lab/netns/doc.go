// Package netns plays scenarios with the real programs: `scanside run` and `scanside-gateway`, each in a network namespace
// of its own, joined by two emulated uplinks, watched by observers and by a real browser. It needs root.
//
//	namespace room                         namespace far
//	scanside run ── TUN primary  ── emu ── TUN primary  ── scanside-gateway on 10.99.0.1
//	     │       ── TUN cellular ── emu ── TUN cellular ──      │  on an interface of its own
//	room viewer (helper)                        viewer and physician (helper), Chromium (helper)
//
// For a hospital's firewall (firewall.go) a third namespace stands between the room's first uplink and the emulator: the
// site's router, with nftables and a real proxy; a real TURN server stands beside the gateway.
//
// Everything the lab needs inside a namespace is a helper: this same program started again there, told what to do line by
// line on its standard input (helper.go), gone when that ends. The emulator is such a helper too. Programs and helpers have
// real-time priority (process.go), so that a busy machine is not taken for a bad network.
//
// The same two namespaces serve as a foreign far end's (janus.go): Debian's Janus and simple-whip-server run from a Debian tree of
// their own in namespace far, beside the gateway, and a helper counts what Janus forwards.
//
// Names carry the process id, so that two labs do not meet. Namespaces, devices and processes are gone when the lab ends, by
// a signal too; what a killed lab left is swept by the next one.
//
// Clocks are real here and shared with everything else on the machine: counts are asserted, gaps are printed.
package netns
