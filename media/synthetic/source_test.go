package synthetic

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"scanside/media"
)

// timed is a packet and when it was sent, after the start.
type timed struct {
	p  *rtp.Packet
	at time.Duration
}

// record runs a source for d, whole seconds, calling act (if any) at the end of each, and returns what it sent. In a bubble only.
func record(t *testing.T, s media.Source, d time.Duration, act func(second int)) []timed {
	t.Helper()
	var mu sync.Mutex
	var got []timed
	start := time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- s.Run(ctx, media.SinkFunc(func(p *rtp.Packet) error {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, timed{p, time.Since(start)})
			return nil
		}))
	}()
	for second := 1; time.Duration(second)*time.Second <= d; second++ {
		time.Sleep(time.Until(start.Add(time.Duration(second)*time.Second - time.Microsecond))) // before what is due on the second
		if act != nil {
			act(second)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}
	return got
}

func TestVoice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := NewVoice()
		got := record(t, v, 20*time.Second, nil)
		if v.Kind() != media.Voice || v.Packets() != v.Frames() {
			t.Error("kind or counters")
		}
		if n := len(got); n != 1000 {
			t.Errorf("%d packets in 20 s, want 50 a second", n)
		}
		for i, g := range got {
			h := g.p.Header
			if h.SequenceNumber != voiceFirstSequence+uint16(i) || h.Timestamp != got[0].p.Timestamp+960*uint32(i) || h.Marker {
				t.Fatalf("packet %d: %+v", i, h)
			}
			st, ok := ReadStamp(g.p.Payload)
			if !ok || st.Packet != uint64(i) || st.Frame != uint64(i) || st.Count != 1 || st.Key || len(g.p.Payload) != 71 {
				t.Fatalf("packet %d: %d bytes, stamp %+v", i, len(g.p.Payload), st)
			}
			if want := time.Duration(i) * 20 * time.Millisecond; g.at != want {
				t.Fatalf("packet %d at %v, want %v", i, g.at, want)
			}
		}
	})
}

// What a depacketizer makes of the stream is whole H.264: parameter sets before each key frame, no start code inside a unit.
func TestVideo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := NewVideo(VideoConfig{})
		got := record(t, v, 12*time.Second, func(second int) {
			if second == 5 {
				v.RequestKeyFrame()
				v.RequestKeyFrame()
			}
		})
		if v.KeyFrames() != 2 || v.KeyFrameRequests() != 2 || v.Packets() != uint64(len(got)) {
			t.Errorf("%d key frames, %d requests, %d packets", v.KeyFrames(), v.KeyFrameRequests(), v.Packets())
		}
		if n := v.Frames(); n != 360 {
			t.Errorf("%d frames in 12 s, want 30 a second", n)
		}
		var total, inFrame int
		var frame []byte
		var unpack codecs.H264Packet
		for i, g := range got {
			st, ok := ReadStamp(g.p.Payload)
			if !ok || st.Packet != uint64(i) || st.Index != inFrame || len(g.p.Payload) > maxPayload {
				t.Fatalf("packet %d: %d bytes, stamp %+v", i, len(g.p.Payload), st)
			}
			if g.p.SequenceNumber != videoFirstSequence+uint16(i) || g.p.Timestamp != got[0].p.Timestamp+3000*uint32(st.Frame) {
				t.Fatalf("packet %d: %+v", i, g.p.Header)
			}
			if key := media.H264KeyFrame(g.p.Payload); key != (st.Key && st.Index < 2) {
				t.Fatalf("packet %d of %+v starts a key frame: %v", i, st, key)
			}
			part, err := unpack.Unmarshal(g.p.Payload)
			if err != nil {
				t.Fatal(err)
			}
			total += len(g.p.Payload)
			frame = append(frame, part...)
			inFrame++
			if g.p.Marker != (st.Index == st.Count-1) {
				t.Fatalf("packet %d: marker %v on %d of %d", i, g.p.Marker, st.Index, st.Count)
			}
			if g.p.Marker {
				checkUnits(t, frame, st.Key)
				frame, inFrame = nil, 0
			}
		}
		if rate := total * 8 / 12; rate < 1_900_000 || rate > 2_200_000 {
			t.Errorf("%d bit/s", rate)
		}
	})
}

// checkUnits looks at the units of one frame in byte stream format (H.264 annex B).
func checkUnits(t *testing.T, frame []byte, key bool) {
	t.Helper()
	var types []byte
	for _, unit := range bytes.Split(frame, []byte{0, 0, 0, 1})[1:] {
		types = append(types, unit[0]&0x1f)
		for _, code := range [][]byte{{0, 0, 0}, {0, 0, 1}, {0, 0, 2}} {
			if bytes.Contains(unit, code) {
				t.Fatalf("unit of type %d contains % x", unit[0]&0x1f, code)
			}
		}
	}
	want := []byte{1}
	if key {
		want = []byte{7, 8, 6, 5}
	}
	if !bytes.Equal(types, want) {
		t.Fatalf("units of types %v, want %v", types, want)
	}
}

func TestVideoRate(t *testing.T) {
	for _, c := range []struct{ fps, rate int }{{30, 600_000}, {15, 100_000}, {25, 5_000_000}, {30, 1}} {
		synctest.Test(t, func(t *testing.T) {
			v := NewVideo(VideoConfig{FPS: c.fps, Bitrate: 2_000_000})
			v.SetRate(c.rate)
			fps := c.fps
			if c.rate < 100_000 && fps == 30 { // the last rung of the ladder
				fps = 15
			}
			total, key := 0, 0
			for _, g := range record(t, v, 10*time.Second, nil) {
				total += len(g.p.Payload)
				if st, _ := ReadStamp(g.p.Payload); st.Key {
					key += len(g.p.Payload)
				}
			}
			least := (64 + 2) * 8 * fps // a frame has room for its stamp
			if got, want := (total-key)*8/10, max(c.rate, least); got < want*9/10 || got > want*11/10 {
				t.Errorf("%d fps at %d bit/s: got %d", c.fps, c.rate, got)
			}
			if now, full := v.Shapes(); now.FPS != fps || full.FPS != c.fps {
				t.Errorf("%d fps at %d bit/s: it is said to be %v of %v", c.fps, c.rate, now, full)
			}
		})
	}
}

// Where the rate leaves too little for the size, the picture becomes smaller, with a key frame that nobody asked for.
func TestVideoShape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := NewVideo(VideoConfig{})
		if now, full := v.Shapes(); now != (media.Shape{}) || full != (media.Shape{}) {
			t.Errorf("before the first picture its shape is said to be %v of %v", now, full)
		}
		go func() {
			time.Sleep(5010 * time.Millisecond)
			v.SetRate(450_000)
		}()
		var keys []uint64
		var last Stamp
		for _, g := range record(t, v, 10*time.Second, nil) {
			st, _ := ReadStamp(g.p.Payload)
			if st.Frame > last.Frame+1 {
				t.Errorf("frame %d follows %d", st.Frame, last.Frame)
			}
			if st.Key && st.Index == 0 {
				keys = append(keys, st.Frame)
			}
			last = st
		}
		now, _ := v.Shapes()
		if len(keys) != 2 || keys[1] < 150 || keys[1] > 152 || now.Height != 540 || v.KeyFrameRequests() != 0 {
			t.Errorf("key frames %v, %d of them asked for; shape %v", keys, v.KeyFrameRequests(), now)
		}
	})
}

// A source that is run again goes on with its numbers, is a new run by its stamps, and starts with a key frame.
func TestRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := NewVideo(VideoConfig{})
		first := record(t, v, time.Second, nil)
		second := record(t, v, time.Second, nil)
		a, _ := ReadStamp(first[len(first)-1].p.Payload)
		b, _ := ReadStamp(second[0].p.Payload)
		if a.Run == b.Run || b.Packet != 0 || b.Frame != 0 || !b.Key {
			t.Errorf("stamps %+v, %+v", a, b)
		}
		if second[0].p.SequenceNumber != first[len(first)-1].p.SequenceNumber+1 {
			t.Error("the sequence number jumps")
		}
	})
}

func TestReadStamp(t *testing.T) {
	want := Stamp{Run: 1<<32 - 1, Packet: 1 << 40, Frame: 1 << 39, Index: 5, Count: 16000, Key: true, Sent: time.Unix(1790000000, 123)}
	payload := fill(100)
	want.put(payload[7:])
	if got, ok := ReadStamp(payload); !ok || got != want {
		t.Errorf("read %+v, want %+v", got, want)
	}
	for _, b := range payload {
		if b < 0x80 {
			t.Fatal("a byte without its top bit could be part of a start code")
		}
	}
	for _, foreign := range [][]byte{nil, fill(200), payload[:7+stampSize-1], []byte(stampMagic)} {
		if got, ok := ReadStamp(foreign); ok {
			t.Errorf("read %+v from %d bytes without a stamp", got, len(foreign))
		}
	}
}
