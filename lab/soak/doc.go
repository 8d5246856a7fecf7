// Package soak lets the failover engine live for simulated weeks over two uplinks that fail in every way at random, and
// checks its invariants after each step. Time is an argument, so a day takes seconds; the same seed makes the same weeks.
//
//	faults ─► uplinks ─► probes, reports, refused sends ─► Engine.Step ─► plan ─► voice over its route ─► lost or not
//
// The uplinks are a model, not the emulator: what enters the engine is outcomes of probes and the far end's counts, and 30
// days of packets one by one would take hours. Lab/bubble plays the same engine inside the real agent.
package soak
