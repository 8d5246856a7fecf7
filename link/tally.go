package link

import (
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
)

// Headers is what a packet of media takes besides its payload, in bytes: RTP 12, SRTP's tag 10, UDP 8, IPv4 20.
const Headers = 50

// Tally is how much media one end has sent towards the other over one uplink, since the session began. Bytes are with headers.
type Tally struct{ Packets, Bytes uint64 }

// appendTally appends to an answer with a clock what its sender has sent back over the uplink.
func appendTally(b []byte, t Tally) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, uint32(t.Packets)), uint32(t.Bytes))
}

// parseTally returns the tally of an answer that parseAnswer takes, both numbers modulo 2^32; false if it has none.
func parseTally(b []byte) (t Tally, ok bool) {
	at := afterReports(b) + 4
	if len(b) < at+8 {
		return t, false
	}
	return Tally{uint64(binary.BigEndian.Uint32(b[at:])), uint64(binary.BigEndian.Uint32(b[at+4:]))}, true
}

// tallies makes a tally that wraps one that does not. The zero value is ready.
type tallies struct{ sum Tally }

// extend takes a reading that is not 2^31 older or newer than the last.
func (t *tallies) extend(read Tally) Tally {
	t.sum.Packets = near(t.sum.Packets, uint32(read.Packets))
	t.sum.Bytes = near(t.sum.Bytes, uint32(read.Bytes))
	return t.sum
}

// near is the number nearest to last whose lower 32 bits are low.
func near(last uint64, low uint32) uint64 {
	n := int64(last) + int64(int32(low-uint32(last)))
	return uint64(max(n, 0))
}

// RateHolds is how long a rate that was asked for is worth something: three of the times at which it is said again.
const RateHolds = 3 * time.Second

// AskRate tells the far end how much this link carries back, in bit/s with headers (REMB, draft-alvestrand-rmcat-remb-03). It holds there
// until another is told, or for [RateHolds]. Any goroutine may call it.
func (s *Session) AskRate(bitsPerSecond int) {
	if p := s.nowPlaying(); p != nil {
		p.askRate(bitsPerSecond, p.ssrcs[:])
	}
}

// AskRate asks the publisher to send no more than this, in bit/s, voice and picture together (REMB). Any goroutine may call it.
func (in *Inbound) AskRate(bitsPerSecond int) { in.askRate(bitsPerSecond, in.ssrcs[:]) }

// askRate names all media of the peer.
func (p *peer) askRate(bitsPerSecond int, tracks []atomic.Uint32) {
	var all []uint32
	for k := range tracks {
		if id := tracks[k].Load(); id != 0 {
			all = append(all, id)
		}
	}
	if len(all) > 0 && bitsPerSecond > 0 {
		_ = p.sendRTCP(&rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: float32(bitsPerSecond), SSRCs: all})
	}
}

// rateAsked hands on how much the player's way carries, if packet says so; told may be nil.
func rateAsked(packet rtcp.Packet, told func(bitsPerSecond int)) {
	if r, ok := packet.(*rtcp.ReceiverEstimatedMaximumBitrate); ok && told != nil && r.Bitrate >= 1 && r.Bitrate < maxRate {
		told(int(r.Bitrate))
	}
}

// maxRate is more than any uplink of a scan room carries, and well within an int.
const maxRate = 1e9
