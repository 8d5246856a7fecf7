// Package diagnosis says where the fault of an uplink is: from what an examination found, layer by layer, one sentence for
// the technician on the ladder and what to do next.
//
// # Who calls it
//
// Package examination fills in [Findings], the agent adds what its link knows of media and asks [Judge] for all uplinks at
// once; the page, the API, /metrics and `scanside diagnose` show the [Verdict]. The package is pure: time is an argument.
//
// # The layers
//
//	device → carrier → address → router → dns → https → udp → media
//
// Each stands on those before it, so the first that failed is where the fault is, with two exceptions. What is beyond the
// router is judged together: that names are looked up elsewhere and the far end is silent is another fault than that nothing
// beyond the router answers. And uplinks are compared: the far end is called down only when it refuses or is silent on all
// uplinks that were seen to reach further than their routers.
//
// # Invariants
//
//	D1 Well and Clear are never said while a layer is failed
//	D2 a finding older than [Fresh] counts as unknown, and so does a failure beneath a layer that was found well later
//	D3 a cause other than Unknown, Well and Clear names a layer that is failed by fresh evidence (ClockWrong: https, by its clock)
//	D4 FarEndDown is said of an uplink only if no other uplink reaches the far end
//	D5 every verdict has a sentence, and unless all is well something to do
package diagnosis
