package synthetic

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"scanside/media"
)

// Sequence numbers start so that they wrap within each scenario, about ten seconds in: what breaks at the wrap breaks every time.
const (
	voiceFirstSequence = 65536 - 500
	videoFirstSequence = 65536 - 2500
)

// Payload types; the tracks of a link put their own in.
const (
	voicePayloadType = 111
	videoPayloadType = 102
)

// stream is what Voice and Video share: numbering, stamping and pace.
type stream struct {
	kind     media.Kind
	rate     atomic.Int64 // bits a second
	muted    atomic.Bool
	packets  atomic.Uint64
	frames   atomic.Uint64
	sequence uint16
	header   rtp.Header
	run      uint32
	inRun    uint64 // packets of this run
}

func (s *stream) init(k media.Kind, payloadType uint8, sequence uint16, rate int) {
	s.kind, s.sequence = k, sequence
	s.header = rtp.Header{Version: 2, PayloadType: payloadType, SSRC: rand.Uint32(), Timestamp: rand.Uint32()}
	s.rate.Store(int64(rate))
}

// Kind is part of media.Source.
func (s *stream) Kind() media.Kind { return s.kind }

// SetRate is part of media.Source; it holds from the next frame on.
func (s *stream) SetRate(bps int) { s.rate.Store(int64(bps)) }

// Mute is part of media.Source. Nothing is captured here: a muted voice sends nothing, and a picture is no picture anyhow.
func (s *stream) Mute(on bool) { s.muted.Store(on) }

// Muted is what Mute was last told. Any goroutine may call it.
func (s *stream) Muted() bool { return s.muted.Load() }

// Packets is how many packets were produced so far. Any goroutine may call it.
func (s *stream) Packets() uint64 { return s.packets.Load() }

// Frames is how many frames were produced so far; a packet of voice is one. Any goroutine may call it.
func (s *stream) Frames() uint64 { return s.frames.Load() }

// pace calls frame with 0, 1, 2 … each at its time, every apart, until ctx ends; it says whether it made one. After a stall it
// catches up.
func (s *stream) pace(ctx context.Context, every time.Duration, frame func(n uint64) bool) {
	s.run, s.inRun = rand.Uint32(), 0
	ticks := uint32((every*time.Duration(s.kind.ClockRate()) + time.Second/2) / time.Second)
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := uint64(0); ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if frame(n) {
			s.frames.Add(1)
		}
		s.header.Timestamp += ticks
		timer.Reset(time.Until(start.Add(time.Duration(n+1) * every)))
	}
}

// send stamps a payload at offset and sends it.
func (s *stream) send(out media.Sink, payload []byte, offset int, st Stamp) {
	st.Run, st.Packet, st.Sent = s.run, s.inRun, time.Now()
	st.put(payload[offset:])
	h := s.header
	h.SequenceNumber = s.sequence
	h.Marker = s.kind == media.Video && st.Index == st.Count-1
	s.sequence++
	s.inRun++
	s.packets.Add(1)
	_ = out.WriteRTP(&rtp.Packet{Header: h, Payload: payload}) // a sink's error never stops a source; the sink counts it
}

// fill is payload of no meaning, all bytes with the top bit set (see stampMagic).
func fill(size int) []byte {
	b := make([]byte, size)
	for i := range min(size, 128) {
		b[i] = 0x80 | byte(i*37)
	}
	for n := 128; n < size; n *= 2 {
		copy(b[n:], b[:n])
	}
	return b
}
