package device

import (
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
)

const (
	// maxPayload is the most an RTP payload holds, in bytes. With RTP, SRTP, UDP, IPv6 and a tunnel's headers it stays
	// under 1280, which every IPv6 path carries.
	maxPayload = 1180

	videoClock = 90_000 // Hz, RFC 6184 8.1
	voiceClock = 48_000 // Hz, RFC 7587 4.1
)

// packets numbers the packets of one stream. It belongs to the stream's goroutine. SSRC and payload type are left zero:
// each leg sets what was negotiated for it.
type packets struct{ seq uint16 }

func (p *packets) next(payload []byte, timestamp uint32, marker bool) *rtp.Packet {
	p.seq++
	return &rtp.Packet{
		Header:  rtp.Header{Version: 2, Marker: marker, SequenceNumber: p.seq, Timestamp: timestamp},
		Payload: payload,
	}
}

// pictures cuts access units into packets: RFC 6184, packetization-mode 1 (single NAL units, STAP-A for the parameter
// sets, FU-A for what does not fit). The packets own their payloads.
type pictures struct {
	packets
	payloader codecs.H264Payloader
}

func (p *pictures) split(accessUnit []byte, timestamp uint32) []*rtp.Packet {
	payloads := p.payloader.Payload(maxPayload, accessUnit)
	out := make([]*rtp.Packet, len(payloads))
	for i, payload := range payloads {
		// RFC 6184 5.1: the marker is set on the last packet of the access unit.
		out[i] = p.next(payload, timestamp, i == len(payloads)-1)
	}
	return out
}

// ticks turns time passed into ticks of an RTP clock. An RTP timestamp is its low 32 bits.
func ticks(passed time.Duration, clock int64) int64 {
	seconds, rest := passed/time.Second, passed%time.Second
	return int64(seconds)*clock + int64(rest)*clock/int64(time.Second)
}
