package link

import (
	"sync"
	"time"

	"github.com/pion/rtcp"
)

const (
	defaultProbeEvery = 50 * time.Millisecond // TARGETS of this project: suspect at two missed
	minProbeEvery     = 10 * time.Millisecond
	maxProbeEvery     = 10 * time.Second // a NAT forgets an idle path after 27-30 s (RFC 4787 REQ-5 wants 2 min, carriers do not)
	// wordyEvery is how many brief probes there are to one with a word: half a second at the full cadence.
	wordyEvery = 10
	// recheck is how soon a changed wish of ProbeEvery is noticed when nobody calls Hurry.
	recheck = 250 * time.Millisecond
	// paired is how long after a probe that doubt brought forward its twin follows: one that is lost alone proves nothing.
	paired = 2 * time.Millisecond
	// overslept is the lateness of our own timer from which the evidence of the meantime is not held against the link.
	overslept = 30 * time.Millisecond
)

// prober sends probes on one peer's media path and books their outcome.
type prober struct {
	send  func(number uint32) error
	every func() time.Duration
	ears  *ears // nil: nothing is heard on the way back
	tell  func(Sample)
	hurry chan struct{}

	mu    sync.Mutex
	book  probes
	clock farClock
	back  tallies
}

func newProber(every func() time.Duration, ears *ears, send func(number uint32) error, tell func(Sample)) *prober {
	return &prober{every: every, ears: ears, send: send, tell: tell, hurry: make(chan struct{}, 1)}
}

// run probes until done is closed.
func (p *prober) run(done <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var lastSent, planned time.Time
	var was time.Duration // the interval, as it was asked for last
	urgent := 0           // probes that are sent for doubt, whatever the interval
	var expired []Sample
	for {
		now := time.Now()
		p.mu.Lock()
		if late := now.Sub(planned); !planned.IsZero() && late > overslept {
			p.book.stall(late)
		}
		expired = p.book.expire(now, expired[:0])
		p.mu.Unlock()
		for _, s := range expired {
			p.tell(s)
		}
		every := p.interval(now)
		if was > defaultProbeEvery && every <= defaultProbeEvery {
			urgent = 2
		}
		was = every
		if now.Sub(lastSent) >= until(urgent, every) {
			p.one(now)
			lastSent, urgent = now, max(urgent-1, 0)
		}
		planned = p.next(now, lastSent.Add(until(urgent, every)))
		if every > defaultProbeEvery {
			planned = p.ears.before(planned)
		}
		timer.Reset(time.Until(planned))
		select {
		case <-done:
			return
		case <-timer.C:
		case <-p.hurry:
			planned = time.Time{}
		}
	}
}

// until is how long after the last probe the next one follows: the first of two urgent ones at once.
func until(urgent int, every time.Duration) time.Duration {
	switch urgent {
	case 2:
		return 0
	case 1:
		return paired
	}
	return every
}

// interval is how far probes are apart now. Where they are rare, media that fell silent make them frequent.
func (p *prober) interval(now time.Time) time.Duration {
	every := defaultProbeEvery
	if p.every != nil {
		every = p.every()
	}
	if every > defaultProbeEvery && p.ears.hushed(now) {
		every = defaultProbeEvery
	}
	return min(max(every, minProbeEvery), maxProbeEvery)
}

// next is when to wake: the next probe, the next time-out, or to ask for the interval again.
func (p *prober) next(now, send time.Time) time.Time {
	at := send
	if soon := now.Add(recheck); soon.Before(at) {
		at = soon
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if due, ok := p.book.due(); ok && due.Before(at) {
		at = due
	}
	return at
}

// one sends one probe; one that the kernel refuses is unanswered at once.
func (p *prober) one(now time.Time) {
	p.mu.Lock()
	number := p.book.send(now)
	p.mu.Unlock()
	if p.send(number) == nil {
		return
	}
	p.mu.Lock()
	s, ok := p.book.refuse(number)
	p.mu.Unlock()
	if ok {
		p.tell(s)
	}
}

// heard books an answer, if packet is one.
func (p *prober) heard(packet rtcp.Packet) {
	answer, ok := packet.(*rtcp.ApplicationDefined)
	if !ok || answer.Name != nameAnswer {
		return
	}
	if number, reports, err := parseAnswer(answer.Data); err == nil {
		p.answered(number, reports, answer.Data)
	}
}

// answered books the answer to a probe. Behind its reports, data may tell the far end's clock and what it sent back.
func (p *prober) answered(number uint32, reports []StreamReport, data []byte) {
	now := time.Now()
	p.mu.Lock()
	s, ok := p.book.answer(now, number)
	if clock, told := parseClock(data); ok && told {
		s.Clock = p.clock.extend(clock)
	}
	if back, told := parseTally(data); ok && told {
		s.Back = p.back.extend(back)
	}
	p.mu.Unlock()
	if ok {
		s.Far = reports
		p.tell(s)
	}
}

// again lets the interval be asked for again now.
func (p *prober) again() {
	select {
	case p.hurry <- struct{}{}:
	default:
	}
}

// farClock makes a clock that wraps one that does not.
type farClock struct {
	known bool
	last  uint32
	sum   int64 // microseconds
}

// extend takes a reading that is less than half an hour older or newer than the last.
func (c *farClock) extend(us uint32) time.Duration {
	if !c.known {
		c.known, c.last, c.sum = true, us, 1<<32+int64(us) // above zero, which stands for unknown
	}
	c.sum += int64(int32(us - c.last))
	c.last = us
	return time.Duration(c.sum) * time.Microsecond
}

// echo answers a probe, if packet is one, and hands on the word that came with it. The clock is that of this end of the session.
func echo(packet rtcp.Packet, ev PublishEvents, clock time.Duration, send func(...rtcp.Packet) error) {
	probe, ok := packet.(*rtcp.ApplicationDefined)
	if !ok || probe.Name != nameProbe {
		return
	}
	number, word, err := parseProbe(probe.Data)
	if err != nil {
		return
	}
	if ev.Word != nil && len(word) > 0 {
		ev.Word(word)
	}
	if isBrief(probe.Data) {
		_ = send(app(nameAnswer, probe.SSRC, appendAnswer(nil, number, nil)))
		return
	}
	var reports []StreamReport
	if ev.Report != nil {
		reports = ev.Report()
	}
	data := appendClock(appendAnswer(nil, number, reports), clock)
	if ev.Sent != nil {
		if t := ev.Sent(); t.Packets > 0 {
			data = appendTally(data, t)
		}
	}
	_ = send(app(nameAnswer, probe.SSRC, data))
}

// wordless is the data of a probe without a word.
func wordless(number uint32) []byte { return appendProbe(nil, number, nil) }

// say is the data of a probe with the publisher's word.
func (s *Session) say(number uint32) []byte {
	var word []StreamReport
	if s.cfg.Word != nil {
		word = s.cfg.Word()
	}
	data := appendProbe(nil, number, word)
	if s.cfg.Faults != nil {
		data = appendFaults(data, s.cfg.Faults())
	}
	return data
}

// hearFaults hands on what a probe says of its sender's sources, if packet is one that does; heard may be nil.
func hearFaults(packet rtcp.Packet, heard func(Faults)) {
	probe, ok := packet.(*rtcp.ApplicationDefined)
	if !ok || probe.Name != nameProbe || heard == nil {
		return
	}
	if _, _, err := parseAnswer(probe.Data); err != nil {
		return
	}
	if f, said := parseFaults(probe.Data); said {
		heard(f)
	}
}
