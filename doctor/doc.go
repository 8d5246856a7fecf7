// Package doctor says what is wrong with the box, and what to do about it: from facts that others gathered, one check a line,
// each passed, failed or unknown.
//
// # Who calls it
//
// The agent fills in [Facts] from what it knows of its devices, uplinks and far end, and package machine adds what the kernel
// says: clock, disk, permissions, power. `scanside doctor`, the status page and GET /api/v1/doctor show the same [Report]. Where
// no agent runs, the command gathers what can be seen without one, and the rest is unknown. The package is pure: time is an
// argument.
//
// # Areas
//
//	agent         it runs, and its loop does
//	devices       camera, microphone, loudspeaker
//	uplinks       each one, by the verdict of package diagnosis, with its layers; spare: that there are two
//	far-end       it is reached, and takes the site's token
//	clock         synchronised (RFC 5905), in step with the far end, not set lately
//	disk          the state directory's room, and how long a write takes to last
//	certificates  name and end of each
//	permissions   device files, state directory, secrets, sockets bound to an interface
//	power         mains, battery, undervoltage
//
// # Invariants
//
//	K1 a check passes only by a fact that was seen; what was not seen is unknown
//	K2 the report fails if a check failed, else it is unknown if one is, and passes only if all passed
//	K3 a check that did not pass says what to do
package doctor
