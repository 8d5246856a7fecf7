// Package agent is the box in the scan room: it makes true what package failover decides.
//
// # The one loop
//
// Everything that decides is owned by one goroutine (loop.go). Others post events to its bounded queue and read the
// snapshots it publishes; nobody else touches the engine, the plan or the story. An event is handled in these steps:
//
//	the clock is read once → the recorder notes the event → failover.Engine.Step → the guard checks F1…F11
//	→ the whole plan is applied → what was ruled is told: log, metrics, events, stories
//	→ a snapshot is published (an atomic pointer, and a closed channel that wakes those who wait)
//
// The loop never does I/O and never waits for anything but its queue and its timer. A probe's outcome that finds the queue
// full is dropped and counted; nothing else is ever dropped.
//
// # Who does what
//
//	config.go       what the box is told; checked once, all mistakes together (package config shows line and caret)
//	uplink.go       one supervisor per uplink: dial, hold, take apart, dial again, with back-off and in words
//	sleep.go        the machine was suspended, or the process stopped: what was known before is void
//	ground.go       what the kernel says of an uplink's interface: carrier, addresses
//	farends.go      the far ends, and an uplink's orders: where to be, where else to look
//	scout.go        another far end dialled and held, beside the uplink's own connection
//	leftovers.go    sessions that are open at a far end and should not be
//	whereabouts.go  at which far end the room is: package farend decides, the loop makes it true
//	links.go        what the loop knows of a link; translation of samples and reports into the engine's events
//	departures.go   when packets left, so that the far end's counts are compared with what had left when it counted
//	returnrate.go   what each link carries back, told to the far end
//	capacity.go     what each link carries, estimated from the answers to its probes; the one rate that is asked of the camera
//	apply.go        the plan on the legs; what the far end lacks is sent again on a leg that takes over
//	sources.go      camera and microphone kept running; key frame requests coalesced
//	returnpath.go   the physician's streams merged from all links; screens.go: to the room's pages
//	examiner.go     uplinks that do not work are examined; fault.go: the verdict of package diagnosis, for the page
//	doctor.go       the box looked at, every minute and when somebody asks: facts.go what is known, package doctor judges
//	installation.go what people answered while the box was installed; package installation holds it against the plan
//	drill.go        the failover drill (package drill) made true: drillcut.go cuts, drillkept.go keeps, records and shows it
//	presence.go     who is at the far end, asked over whichever uplink lives
//	tale.go         switchovers as stories: story.go in words, cost.go what they cost by the far end's own word, and why
//	books.go        what each uplink used, by billing months (package budget), written down once a minute
//	procedure.go    whether a procedure is open; turned by people, on disk before it is acknowledged
//	mute.go         camera and microphone closed by people in the room; on disk before it is acknowledged; key.go: by a key
//	preview.go      the room's picture on the status page; levels.go: how loud microphone and loudspeaker are
//	chronicle.go    the last day by minutes (package history), a line a minute on disk; historyview.go: as the page draws it
//	bundle.go       what goes into a support bundle (package support); redact.go: the configuration without its secrets
//	reach.go        where the page can be opened, as addresses and a QR code; how the clock is kept
//	watched.go      who looks in is announced (package viewing): names, lamp.go the light, chime.go a sound by the
//	                loudspeaker, or without one on the room's screen
//	giveway.go      ends the run for a newer version, when no procedure is open and nobody looks in
//	recorder.go     the last ten minutes of events; written out at each switchover that was not routine, with its record beside
//	                it: cause, evidence, gaps, bytes sent again, and the hashes of the trace and of what it replays to
//	devicetraces.go likewise what a source's change of device was decided from
//	journal.go      the audit log (package audit): what the loop noted, on disk within a moment, and said when it cannot be
//	view.go, judge.go, problems.go   the snapshot in words: what the pages and GET /api/v1/status show
//	metrics.go      the same for Prometheus: metricsread.go, metricslinks.go, metricsstreams.go read the snapshot, metricnames.go is
//	                the table of names; every label value is there from the start; textfile.go: as a file, for node_exporter
//	serve.go        the listeners: plain HTTP on loopback, HTTPS for others; certificate.go what it shows; door.go who comes in (package
//	                access), and what the audit log keeps of it
//	agent/status    the pages themselves, standard library alone
//
// # How long things wait for each other
//
// Start: the page answers and the loop runs before any device or network was asked; Ready says so. End: sessions are ended
// at the far end (2 s at most), and only then do loop and page end, so that the end is seen. A connection that is lost is
// taken apart while the next one is dialled already.
//
// # One far end at a time
//
// The room is at one far end, where its supervisor looks. While no link reaches it, each uplink's scout dials the others and
// holds what answers; on package farend's word all uplinks leave for the one that was found, the scouts' connections become
// the links, and nothing that the far end which was left has said, or still sends, counts any more.
//
// # What survives
//
// A kill at any moment leaves session URLs at the far end. They are kept in the state directory and ended before the next
// dial of that far end over that uplink. Where the room was is kept too. The box's id is made once; the run's id at each start, so that the far end tells a restart from a
// second box.
//
// # Privacy
//
// Nothing here records sound or pictures, and nothing names a patient. Sources are started as the configuration says and
// never otherwise: a reconnect or a restart cannot switch on what was off. A muted device is closed; only people in the room open it
// again, and a file that cannot be read for certain means muted. Who looks in is announced, and his name stands on the screen. The room's page starts muted, and a reconnect
// leaves it as it was. It always shows who can see the room.
package agent
