// Package emu makes a good network bad on purpose: delay, jitter, reordering, loss alone or in bursts, duplicates, a thin or
// a recorded rate with a queue, an MTU that nobody tells of, a firewall, a black hole, in each direction on its own and
// changeable while it runs.
//
// Three layers, each usable without the next:
//
//	Pipe   decides and holds: one direction of one uplink as a time-ordered, bounded queue. Pure: time is an argument.
//	Line   a Pipe with a goroutine that delivers what is due.
//	Net    all sockets of one uplink (UDP and TCP) led through two Lines: for the demo on loopback and for the in-memory
//	       world. Package emu/tun leads a Line through TUN devices instead, for network namespaces.
//
// Set names uplinks and keeps each one's base shape, so that "cut", "30 % loss", "+300 ms" and "restore" mean the same in
// every world.
//
// What a datagram suffers: it is lost when the line is cut as it enters or as it is due (a pulled cable loses what is on
// the way too), when the dice say so, when it is too big, when the queue before a thin rate is full, or when the pipe is
// full; each has its counter. What a byte stream suffers: it is never lost and never overtaken; a cut stalls it until the line is restored,
// a loss costs it one retransmission timeout, a piece larger than the MTU stops it. TCP's back-off is not modelled: a real connection may take longer to
// recover than this one.
//
// Nothing sleeps or blocks while it holds a lock and no goroutine is started per packet, so all of it runs inside a
// testing/synctest bubble.
package emu
