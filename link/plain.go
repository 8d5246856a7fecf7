package link

import (
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"scanside/media"
)

const (
	// plainEvery is the pace of sender reports to a far end that does not answer probes (RFC 3550 6.2 has 5 s; WebRTC
	// stacks send every second).
	plainEvery = time.Second
	// plainSilence is how long receiver reports may stay away at least before that counts as unanswered; three of the
	// far end's own intervals if those are longer.
	plainSilence = 3 * time.Second
	// resumeAfter is how long a stream rests before what comes next begins where it ended: longer than any source pauses
	// between two packets that follow each other.
	resumeAfter = 200 * time.Millisecond
)

// plain is what a far end of another make says of what it receives: our sender reports go out every second, which its
// viewers need for lip sync anyway, and its receiver reports say which of them it heard, how long it held that, and what it
// lost (RFC 3550 6.4.1). It merges nothing, so each leg is a stream by itself, numbered without holes: what a leg was not
// given while another carried it must not look lost, nor be asked for again.
type plain struct {
	tell    func(Sample)
	uplink  string
	checked bool // ICE's checks say sooner when nothing is answered (checks.go)

	mu       sync.Mutex
	number   uint32
	streams  [media.NumKinds]plainStream
	heard    time.Time     // the last receiver report; zero: never, and then nothing is said
	interval time.Duration // between the far end's reports, smoothed
}

// plainStream is one leg's stream.
type plainStream struct {
	ssrc            uint32
	packets, octets uint32
	timestamp       uint32
	at              time.Time // when the newest packet left; zero: none yet

	first, newest uint16 // numbers that it was sent under
	source, since uint16 // the newest's own number, and that of the first since the last rest
	said          bool   // the far end has reported on it since the last word on all
	report        StreamReport
}

// sent counts a packet that goes out and says under which number; false: it is from before the stream rested, and its number
// would be one that another packet had.
func (p *plain) sent(k media.Kind, packet *rtp.Packet) (uint16, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	s, own := &p.streams[k], packet.SequenceNumber
	ahead := int16(own - s.source)
	switch {
	case s.at.IsZero():
		s.first, s.newest, s.source, s.since = own, own, own, own
	case ahead > 1 && now.Sub(s.at) >= resumeAfter:
		s.newest, s.source, s.since = s.newest+1, own, own
	case int16(own-s.since) < 0:
		return 0, false
	case ahead > 0:
		s.newest, s.source = s.newest+uint16(ahead), own
	}
	s.packets++
	s.octets += uint32(len(packet.Payload))
	s.timestamp, s.at = packet.Timestamp, now
	return own + s.newest - s.source, true
}

// repair translates what the far end asks again into the source's numbers; what was sent before the stream rested is too old.
func (p *plain) repair(ask func(media.Kind, []uint16)) func(media.Kind, []uint16) {
	if ask == nil {
		return nil
	}
	return func(k media.Kind, seqs []uint16) {
		var own []uint16
		p.mu.Lock()
		s := &p.streams[k]
		for _, n := range seqs {
			if o := n - s.newest + s.source; int16(o-s.since) >= 0 {
				own = append(own, o)
			}
		}
		p.mu.Unlock()
		if len(own) > 0 {
			ask(k, own)
		}
	}
}

// run sends reports and notices silence until done is closed.
func (p *plain) run(done <-chan struct{}, send func(...rtcp.Packet) error) {
	tick := time.NewTicker(plainEvery)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		now := time.Now()
		_ = send(p.reports(now)...)
		if s, ok := p.silent(now); ok {
			p.tell(s)
		}
	}
}

// reports makes a sender report for each stream. One that has sent nothing yet reports that, so that the path is used.
func (p *plain) reports(now time.Time) []rtcp.Packet {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []rtcp.Packet
	for k, s := range p.streams {
		r := &rtcp.SenderReport{SSRC: s.ssrc, NTPTime: ntp(now), PacketCount: s.packets, OctetCount: s.octets}
		if !s.at.IsZero() {
			r.RTPTime = s.timestamp + uint32(now.Sub(s.at).Seconds()*float64(media.Kind(k).ClockRate()))
		}
		out = append(out, r)
	}
	return out
}

// silent is the sample of a second in which reports are overdue.
func (p *plain) silent(now time.Time) (Sample, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.checked || p.heard.IsZero() || now.Sub(p.heard) < max(3*p.interval, plainSilence) {
		return Sample{}, false
	}
	p.number++
	return Sample{Number: p.number, Sent: now}, true
}

// report takes a receiver report in: it may come by itself, or behind the far end's own sender report.
func (p *plain) report(packet rtcp.Packet) {
	var blocks []rtcp.ReceptionReport
	switch r := packet.(type) {
	case *rtcp.ReceiverReport:
		blocks = r.Reports
	case *rtcp.SenderReport:
		blocks = r.Reports
	}
	now := time.Now()
	for _, block := range blocks {
		if s, ok := p.block(now, block); ok {
			p.tell(s)
		}
	}
}

// block takes one stream's report in, and makes a sample of it if it speaks of a sender report of ours.
func (p *plain) block(now time.Time, b rtcp.ReceptionReport) (Sample, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := range p.streams {
		s := &p.streams[k]
		if s.ssrc != b.SSRC || b.LastSenderReport == 0 {
			continue
		}
		// RFC 3550 6.4.1: A - LSR - DLSR, in units of 1/65536 s, modulo 2^32.
		trip := uint32(ntp(now)>>16) - b.LastSenderReport - b.Delay
		rtt := time.Duration(trip) * time.Second / 65536
		if trip > 1<<31 { // the far end's clock runs a little faster than ours
			rtt = 0
		}
		if !p.heard.IsZero() {
			p.interval += (now.Sub(p.heard) - p.interval) / 4
		}
		p.heard = now
		if !s.at.IsZero() {
			s.take(media.Kind(k), b, p.uplink)
		}
		p.number++
		return Sample{Number: p.number, Sent: now.Add(-rtt), Answered: true, RTT: rtt, Far: p.far()}, true
	}
	return Sample{}, false
}

// take reckons what arrived: all from the first to the highest (RFC 3550 6.4.1: extended by the number of times it wrapped),
// without what was lost.
func (s *plainStream) take(k media.Kind, b rtcp.ReceptionReport, uplink string) {
	got := int64(b.LastSequenceNumber) - int64(s.first) + 1 - int64(b.TotalLost)
	received := uint32(min(max(got, 0), int64(s.packets)))
	s.said = true
	s.report = StreamReport{Kind: k, Highest: b.LastSequenceNumber, Received: received, Lost: b.TotalLost, RecentGap: -1,
		Legs: []LegReport{{Uplink: uplink, Received: received, Highest: b.LastSequenceNumber}}}
}

// far is the far end's word, once it has reported on every stream that was sent anything: what left is counted over all of them,
// and so what arrived must be.
func (p *plain) far() []StreamReport {
	var all []StreamReport
	for _, s := range p.streams {
		if s.said {
			all = append(all, s.report)
		} else if !s.at.IsZero() {
			return nil
		}
	}
	for k := range p.streams {
		p.streams[k].said = false
	}
	return all
}

// ntp is a time in NTP's format: seconds since 1900 in the upper half, fraction in the lower.
func ntp(t time.Time) uint64 {
	const from1900 = 2208988800
	seconds := uint64(t.Unix()) + from1900
	return seconds<<32 | uint64(t.Nanosecond())<<32/1e9
}
