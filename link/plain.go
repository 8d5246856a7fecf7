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
)

// plain measures the path to a far end that does not answer probes (a WHIP server of another make): our sender reports go
// out every second, which its viewers need for lip sync anyway, and its receiver reports say which of them it heard, how
// long it held that, and what it lost (RFC 3550 6.4.1). Coarser and later than probes, but authenticated in the same way.
type plain struct {
	tell func(Sample)

	mu       sync.Mutex
	number   uint32
	streams  [media.NumKinds]plainStream
	heard    time.Time     // the last receiver report; zero: never, and then nothing is said
	interval time.Duration // between the far end's reports, smoothed
}

// plainStream is what a sender report says of one leg.
type plainStream struct {
	ssrc            uint32
	packets, octets uint32
	timestamp       uint32
	at              time.Time
}

// sent counts a packet that went out.
func (p *plain) sent(k media.Kind, packet *rtp.Packet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.streams[k]
	s.packets++
	s.octets += uint32(len(packet.Payload))
	s.timestamp, s.at = packet.Timestamp, time.Now()
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
	if p.heard.IsZero() || now.Sub(p.heard) < max(3*p.interval, plainSilence) {
		return Sample{}, false
	}
	p.number++
	return Sample{Number: p.number, Sent: now}, true
}

// report takes a receiver report in, if packet is one that speaks of a sender report of ours.
func (p *plain) report(packet rtcp.Packet) {
	r, ok := packet.(*rtcp.ReceiverReport)
	if !ok {
		return
	}
	now := time.Now()
	for _, block := range r.Reports {
		if s, ok := p.block(now, block); ok {
			p.tell(s)
		}
	}
}

func (p *plain) block(now time.Time, b rtcp.ReceptionReport) (Sample, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, s := range p.streams {
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
		p.number++
		held := time.Duration(b.Delay) * time.Second / 65536
		return Sample{Number: p.number, Sent: now.Add(-rtt - held), Answered: true, RTT: rtt,
			Far: []StreamReport{{Kind: media.Kind(k), Highest: b.LastSequenceNumber, Lost: b.TotalLost, RecentGap: -1}}}, true
	}
	return Sample{}, false
}

// ntp is a time in NTP's format: seconds since 1900 in the upper half, fraction in the lower.
func ntp(t time.Time) uint64 {
	const from1900 = 2208988800
	seconds := uint64(t.Unix()) + from1900
	return seconds<<32 | uint64(t.Nanosecond())<<32/1e9
}
