// Package scanside holds no code: it is the map of the program.
//
// scanside is the box in a scan room that lets a physician who is elsewhere supervise contrast-enhanced CT and MRI. The
// agent captures camera and microphone, encodes each once, sends the same packets over two uplinks, and rules which of
// them carry what. The gateway passes the first copy of each packet on and drops the rest, so that losing an uplink loses
// nothing. The physician's voice and picture come back the same way.
//
// # Packages
//
//	cmd/scanside          the agent's program: flags, and the list of parts it is built from
//	cmd/scanside-gateway  the far end's program, the same way
//	failover              decides: which links carry which stream, and why. Pure: time is an argument
//	farend                decides: at which far end the room is. Pure in the same way
//	devices               decides: which of the cameras, and which of the microphones, is used, and why. Pure in the same way
//	diagnosis             decides: where the fault of an uplink is, from what each layer was found to be. Pure in the same way
//	examination           looks at one uplink, layer by layer, over its own sockets
//	doctor                decides: what is wrong with the box itself, and what to do about it. Pure in the same way
//	machine               what the kernel says of the box: clock, disk, power, permissions
//	drill                 decides: how a failover drill goes, and whether it passed. Pure in the same way
//	installation          decides: how far a box is installed, by what it found and what people answered. Pure in the same way
//	supervision           decides: is qualifying supervision available right now. Pure in the same way
//	access                decides: who comes in and who may do what on the box; users, roles, sessions
//	audit                 the record that others can verify: append-only, hash-chained, signed
//	support               packs a bundle for whoever helps: listed first, bounded, without secrets
//	history               keeps the last day by minutes. Pure likewise
//	viewing               decides: what the room is told about people who look in: names, light, sound. Pure likewise
//	budget                keeps the books of uplinks whose bytes cost money: levels, forecast. Pure likewise
//	selftest              listens: the test sound, or a voice, in what a microphone recorded. Pure likewise
//	bandwidth             estimates how much a link carries, from its probes' answers. Pure likewise
//	media                 RTP: Source, Sink, Fanout, Merger, Filter, key frame coalescing, the test picture
//	media/content         decides: what is wrong with a picture or a sound, from what is in it. Pure likewise
//	media/playout         decides: when a voice that comes over a network is played. Pure likewise
//	media/room            the loudspeaker, and the physician's echo taken out of the microphone (cgo)
//	media/synthetic       sources and counters for worlds without devices
//	media/device          camera, microphone, encoders (cgo; the only importer of mediadevices)
//	link                  WHIP and WHEP, client and server; probes; sockets bound to an uplink
//	agent                 the box: configuration, the one loop, the plan's applier, recorder, metrics, snapshot
//	agent/status          the technician's page and the room's page, embedded
//	gateway               the far end: rooms, mergers, viewers, sign-in, metrics
//	gateway/console       the physician's page, embedded
//	completion            completion for shells, from the table of commands that a program parses with
//	config                reads a YAML file, says every mistake with its line
//	systemd               the units, one source for packages and for scanside service install
//	packaging/copyright   lists whose work a program contains, for its package; fails where a licence is missing
//	lab                   worlds to try it in: emulated uplinks, an in-memory network, namespaces, a virtual machine; and others to compare with
//
// # Arrows
//
// Imports point one way; arch_test.go holds the table and gives each rule's reason. link does not know failover: the
// agent's loop is the one translator. agent never imports media/device: main passes the sources in, so that every test of
// the agent runs without a camera and without cgo.
//
// # Where to start reading
//
// failover/doc.go for what is decided, agent/doc.go for how it is made true, cmd/scanside/main.go for what the program is
// made of.
package scanside
