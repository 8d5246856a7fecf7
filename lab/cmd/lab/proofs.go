package main

// proofs are the commands that take long and show that it holds.
type proofs struct {
	Soak       soakCommand       `cmd:"" help:"Thirty simulated days of random faults through the failover engine, invariants checked after each step."`
	SoakNetns  soakNetnsCommand  `cmd:"" help:"Ten real minutes of random cuts, never of both uplinks at once, in network namespaces (root)."`
	Bench      benchCommand      `cmd:"" help:"Take every figure of the targets and write docs/results.md (root, for most of them)."`
	Prometheus prometheusCommand `cmd:"" help:"Real Prometheuses watch a pulled cable: the alert fires, here and over remote-write, and the dashboard's queries have series (root)."`
	References referencesCommand `cmd:"" help:"What others do on a black hole of the uplink in use, each a line of JSON (root)."`
}
