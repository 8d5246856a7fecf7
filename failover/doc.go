// Package failover rules on links and plans what they carry. It is the one place where anything is decided, and it does
// nothing else: no clock, no I/O, no goroutine, no lock. Time is an argument; what should be true is the answer.
//
//	Event ──► Engine.Step(at, event) ──► Decision{Plan, Rulings, Switchovers}
//
// A [Plan] is the whole wanted state, not a change: making it true twice is harmless, and a step that was missed heals at
// the next. [Ruling] and [Switchover] only explain it. Every one has a [Reason] from a closed list, with a sentence that a
// technician understands.
//
// # Verdicts
//
//	         Opened, or ReviveAnswers answers in a row
//	┌──── Down ───────────────────────────────► Proving
//	│      ▲  ▲ silence, loud cut, one way          │ Dwell of delivered media, without a fault
//	│      │  └──────────────── from any ◄──────────┤
//	│      │                                        ▼
//	└──────┴────────────── Degraded ◄── bad ─────── Up
//	                           └─── Dwell of good ──►
//
// Suspicion, ruling and tearing down are three decisions. A link is suspect at the second missed probe (later where it has
// lately shown holes: a quarter beyond the longest of them, at most DoubtPatience), at the first refused send, or when the
// far end says that nothing arrives; that costs bytes only, so it comes early and goes after a second of answers. Down takes the old leg away, so it comes late: after [Policy.DownMisses] probes in a row, a number that grows
// with the measured loss so that independent loss alone brings at most one false Down in FalseAlarmEvery, and after
// DownSilence, or half as long again as the longest hole that the link has lately shown to end by itself. A run of misses
// counts as three losses at most: holes are not loss. Loud evidence (Closed, carrier lost, a fifth of a second of refused
// sends) rules at once.
//
// Proof is delivered media. A link that is Proving or Degraded becomes Up once it has carried media for Dwell, by the far
// end's word, with nothing wrong; on a link that carries nothing, since no stream may be copied to it, answered probes have
// to do, and what the far end then says of its media does not count. Each fall within FlapMemory of the one before doubles Dwell; Down soon after Degraded is one fall. Silence of ours is not silence of a link: where Step
// was called later than Deadline by more than Stall, whatever was asked before proves nothing by its lack of an answer.
//
// # Plans
//
// The best link is the one a single copy takes: proven before unproven, good before degraded, and then in the policy's
// order. It is left for a preferred one only when that is Up, never while a procedure is open (F9), and not more often than
// F4 allows. An operator's pin outranks all of that but Down. Further links carry a copy by the stream's [Protection] in
// the present [Phase]: Always, on every link that is not Down, those that are still Proving included (their delivered copies
// are the proof); OnDoubt, while the best link is not Up or is suspect and for DoubtHold after, and on a link that is Proving
// until it is proven (video not, where that link is metered); ByCost, OnDoubt where the link is metered and Always where it
// is not; Never. As a link's budget comes to its end, [Allowance], it sheds what is missed least: copies of video, then
// copies of voice outside procedures, then frequent probes. The best link carries everything, whatever that costs.
//
// # The picture's rate
//
// There is one encoder, so there is one rate: what every link that carries the picture has room for beside voice, as far as
// [Estimated] says that it is limited; a link that has shown no limit sets none. It comes down at once and goes up after
// RateHold, as far as limits are known or the links have carried before, else by RateStep. A queue of our own makes it less,
// until the queue has drained.
//
// A link whose limits are measured is not blamed for what we do to it. A fault is charged first, which brings copies (it is
// doubt) and nothing else; it is ruled when it lasts for BlameAfter, or, while there is a queue of ours, for BloatPatience:
// by then sending less should have helped.
//
// A link that is known to carry less than voice and VideoFloor need is thin: Degraded, and it carries no picture while a
// proven link that is not thin can. When all are thin, the picture goes down to VideoFloor, and after StopAfter it stops
// (VoiceOnly), for then voice would suffer; it keeps its route, and is tried again from the floor up when a link is known to
// carry more or its limit is no longer known. Voice is sent as if no link were thin.
//
// # Invariants
//
// [Guard.Check] checks them after every step: in tests, fuzzing, replay and the running agent. A breach is counted and
// recorded; nothing panics in a scan room.
//
//	F1  A stream is never without a route.
//	F2  No stream is on a Down link while another is not Down. If all are Down, every stream is on all links.
//	F3  A link leaves a route only after another has carried the stream for Overlap, unless it is Down.
//	F4  With no link Down, a stream changes links at most SwitchoversPerMinute times a minute, not counting what an
//	    operator, the budget or a procedure asked for.
//	F5  Same policy and trace, same decisions, byte for byte, on every machine.
//	F6  Every change has a Reason.
//	F7  A metered link that is not the best carries an OnDoubt stream only while there is doubt (about the best link, or,
//	    for voice, about that link's own proof) or to hand it over; copies only as far as the link's Allowance goes. Voice
//	    is never shed for budget while a procedure is open.
//	F8  Deadline is after the Step that set it.
//	F9  No switch away from a working link for preference while a procedure is open.
//	F10 A Proving link is never the only route of a stream while an Up or Degraded link exists.
//	F11 The picture is asked for what every link that carries it, and goes on to, is known to have room for, within 5 %, or
//	    for VideoFloor; and it stops only while every link that is not Down is thin. Voice is never shed for rate.
//
// # For the author of the loop
//
//   - One goroutine owns the Engine. Read the clock once for each event, call Step, make Decision.Plan true, whatever it is.
//   - Keep one timer at [Engine.Deadline] and call Step with [Tick] when it fires. Every Step moves the deadline to
//     Heartbeat (50 ms) later, so while probes come in the timer hardly ever fires. Do not tick less: holds and overlaps end
//     at the next Step, and a gap of more than Heartbeat+Stall (100 ms) between steps is taken for a stall of the machine,
//     which makes the misses around it void. Do not tick more: it gives nothing.
//   - Probe each open link every [Engine.ProbeEvery]: at the full cadence while it carries anything, is suspect or has to
//     prove itself, faster while a stream has nothing but it, else once a second, or more rarely where its bytes cost money, and in between
//     where it carries copies that cost money and the far end counts them in. Ask again at once after a miss, and after a report of which nothing arrived.
//     Hand on every outcome: an answer that comes after its probe was given up is another [Sampled], with Late set.
//   - Give [Reported] for each link and each answer that the far end sends over any link, with what left on that leg and
//     what arrived since the report before. Without reports nothing that carries media is ever Up.
//   - Give [Estimated] when what a link is known to carry changes, once when it has come up and then by 5 % or so, and when
//     its queue does. Without it nothing is known to limit the picture, and faults are ruled at once.
//   - Give [Closed] before [Opened] when an association is replaced.
//   - A Ruling whose From equals its To is a change of suspicion: what is called detected (TARGETS G4) is the first of the
//     two. At minus LastGood is the time it took.
//
// # Traces
//
// A trace is text: what the engine was, what happened, and below a rule what it decided. Times are seconds since the
// start. [ReadTrace] reads it, [Trace.Replay] runs it and says where the decisions differ, [Trace.Text] writes it.
//
//	scanside trace 1
//	link wired                       # in order of preference
//	link cellular metered
//	protection voice on-doubt always # idle, and in a procedure; one word: both; left out: voice always, video on-doubt
//	                                 # where a link is metered, else always
//	set Overlap 300ms                # any threshold of Policy that is not the default's
//	state {...}                      # a Snapshot, where the run did not begin with it
//	ticks                            # fill in a tick at each deadline, as the loop does
//	stall 20..21.5                   # we slept: no ticks, and what came meanwhile is seen when we wake
//	0.100 opened wired
//	0.150..20 every 0.050 echo wired 20ms missing 1 of 20
//	20.090 miss wired 40ms           # given up after 40 ms
//	20.390 late wired 340ms          # and answered after all
//	20.400 report wired 12 0         # 12 left, none arrived
//	20.450 estimate wired 600000 120ms # it carries 600 kbit/s, and packets wait for 120 ms because of us; 0: not known
//	20.500 carrier wired down
//	21.000 wall 2026-11-01T01:59:00-04:00
//	----
//	0.100 wired down -> proving (connected) ...
//
// Further events are closed, refused, pin and unpin LINK, budget LINK enough|low|short|spent, procedure open|closed, and tick.
// A field incident becomes a test by copying its trace into testdata.
package failover
