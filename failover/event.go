package failover

import "time"

// Event is one thing that happened. Make it with the functions below; the zero value is a Tick.
type Event struct {
	kind          eventKind
	link          Link
	on            bool // carrier up, pinned, procedure open, answered
	left          Allowance
	late          bool
	took          time.Duration
	sent, arrived uint32
	rate          uint32 // of Estimated, bit/s
}

type eventKind uint8

const (
	tick eventKind = iota
	opened
	closed
	carrier
	sampled
	reported
	sendFailed
	pinned
	procedure
	budget
	estimated
)

// Sample is the outcome of one probe. A probe ends in exactly one Sample that is not Late.
type Sample struct {
	Answered bool
	// Late marks the answer to a probe that had been reported unanswered before: the link is slow, not dead.
	Late bool
	// RTT is the round trip; of an unanswered probe, how long its answer was waited for. The latter tells a stall of our
	// own from silence of the link.
	RTT time.Duration
}

// Opened says that the link's association is up (DTLS connected). A second Opened without Closed changes nothing.
func Opened(l Link) Event { return Event{kind: opened, link: l} }

// Closed says that the association ended; nothing but Opened revives the link.
func Closed(l Link) Event { return Event{kind: closed, link: l} }

// Carrier says whether the cable or radio below the link has carrier. Without it the link is Down at once; carrier alone
// revives nothing, an answered probe does.
func Carrier(l Link, up bool) Event { return Event{kind: carrier, link: l, on: up} }

// Sampled gives the outcome of one probe.
func Sampled(l Link, s Sample) Event {
	return Event{kind: sampled, link: l, on: s.Answered, late: s.Answered && s.Late, took: min(max(s.RTT, 0), time.Minute)}
}

// Reported is the far end's word about media on that link, whichever link brought it: of the `sent` packets that left on
// it since the report before, `arrived` came in, duplicates included. The counts may be a round trip apart; they are
// compared as sums. A counter that started over is no report.
func Reported(l Link, sent, arrived uint32) Event {
	return Event{kind: reported, link: l, sent: sent, arrived: arrived}
}

// SendFailed says that the kernel refused to send on the link's socket.
func SendFailed(l Link) Event { return Event{kind: sendFailed, link: l} }

// Pinned says that an operator chose this link, or no longer does. There is one pin: a new one replaces the old.
func Pinned(l Link, on bool) Event { return Event{kind: pinned, link: l, on: on} }

// Procedure says whether contrast or observation is open (F7, F9).
func Procedure(open bool) Event { return Event{kind: procedure, on: open} }

// Budget says how much is left of the link's allowance of bytes (F7).
func Budget(l Link, left Allowance) Event {
	return Event{kind: budget, link: l, left: min(left, numAllowances-1)}
}

// Estimated says what the link is known to carry now: rate in bit/s, 0 where it has shown no limit, and how long packets wait
// on it because of what we send ourselves.
func Estimated(l Link, rate int, queue time.Duration) Event {
	return Event{kind: estimated, link: l, rate: uint32(min(max(rate, 0), mostBits)), took: min(max(queue, 0), time.Minute)}
}

// Tick says that time passed and nothing else happened.
func Tick() Event { return Event{} }
