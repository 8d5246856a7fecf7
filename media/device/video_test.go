package device

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
	"golang.org/x/sys/unix"

	"scanside/media"
)

// tape is a Sink that remembers what was sent, and when.
type tape struct {
	packets []*rtp.Packet
	at      []time.Time
}

func (t *tape) WriteRTP(p *rtp.Packet) error {
	t.packets, t.at = append(t.packets, p), append(t.at, time.Now())
	return nil
}

func (t *tape) bytes() (n int) {
	for _, p := range t.packets {
		n += len(p.Payload)
	}
	return n
}

// pictures counts access units, and key frames among them.
func (t *tape) pictures() (all, keys int) {
	for _, p := range t.packets {
		if p.Marker {
			all++
		}
		if p.Payload[0]&0x1f == 24 { // STAP-A: the parameter sets
			keys++
		}
	}
	return all, keys
}

func newVideoStream() *videoStream {
	return &videoStream{condition: newCondition(media.Video, "test", nil)}
}

// More noise than the rate can hold: pictures are left out, the rate is kept, and nothing is left out otherwise.
func TestRateHoldsAgainstNoise(t *testing.T) {
	for _, c := range []struct {
		name     string
		bps      int
		complete bool
	}{
		{"too little for such noise", 100_000, false},
		{"enough", 1_000_000, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			const fps, seconds = 30, 8
			v, r, out := newVideoStream(), newRoom(640, 360), &tape{}
			defer v.close()
			v.ladder.Rate = c.bps
			v.SetRate(c.bps)
			start := time.Unix(0, 0)
			v.start = start
			for n := range fps * seconds {
				if err := v.put(r.draw(n), start.Add(time.Duration(n)*time.Second/fps), fps, out); err != nil {
					t.Fatal(err)
				}
			}
			pictures, _ := out.pictures()
			bps := out.bytes() * 8 / seconds
			t.Logf("%d bit/s at a target of %d, %d of %d pictures", bps, c.bps, pictures, fps*seconds)
			// The debt of mostOwed may be outstanding at the end.
			if limit := c.bps + c.bps/seconds + c.bps/10; bps > limit {
				t.Errorf("%d bit/s, want at most %d", bps, limit)
			}
			if skipped := int(v.Health().Skipped); skipped != fps*seconds-pictures {
				t.Errorf("%d pictures are counted as left out, %d were", skipped, fps*seconds-pictures)
			}
			if c.complete && pictures != fps*seconds {
				t.Errorf("%d of %d pictures were left out", fps*seconds-pictures, fps*seconds)
			}
		})
	}
}

func TestTestPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, out := NewTestPicture(VideoConfig{Width: 640, Height: 360, Bitrate: 800_000}), &tape{}
		stop := run(t, src, out)
		time.Sleep(2*time.Second + time.Millisecond)
		for range 5 {
			src.RequestKeyFrame() // five at once are one
		}
		time.Sleep(time.Second)
		stop()

		pictures, keys := out.pictures()
		if pictures != 91 || keys != 2 {
			t.Errorf("3 s gave %d pictures with %d key frames, want 91 with the first and the requested one", pictures, keys)
		}
		first, last := out.packets[0], out.packets[len(out.packets)-1]
		if got := last.Timestamp - first.Timestamp; got < 269_990 || got > 270_010 {
			t.Errorf("timestamps moved by %d in 3 s, want 90 kHz", got)
		}
		for i, p := range out.packets {
			if p.SequenceNumber != first.SequenceNumber+uint16(i) {
				t.Fatalf("packet %d has sequence number %d", i, p.SequenceNumber)
			}
		}
		h := src.Health()
		if !h.OK || h.Frames != 91 || h.Width != 640 || h.FPS < 29 || h.FPS > 31 {
			t.Errorf("health %+v", h)
		}
	})
}

// run starts a source and returns what stops it and waits.
func run(t *testing.T, src media.Source, out media.Sink) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- src.Run(ctx, out) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

// sinkChannel is a Sink that counts packets into a channel and drops what does not fit.
func sinkChannel(c chan<- struct{}) media.Sink {
	return media.SinkFunc(func(*rtp.Packet) error { post(c); return nil })
}

// What a picture of the demo costs: drawing and encoding. At 30 a second, 1 ms is 3 % of a core.
func BenchmarkTestPicture720p(b *testing.B) {
	v, pattern := newVideoStream(), media.NewPattern(1280, 720, 30)
	defer v.close()
	v.SetRate(defaultVideoBitrate)
	start := time.Now()
	v.start = start
	drop := media.SinkFunc(func(*rtp.Packet) error { return nil })
	b.ReportAllocs()
	defer reportCPU(b)()
	var n uint64
	for b.Loop() {
		at := start.Add(time.Duration(n) * time.Second / 30)
		if err := v.put(pattern.Draw(n, at), at, 30, drop); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

// reportCPU reports the processor time of an operation, which other programs on the machine disturb less than the clock's.
func reportCPU(b *testing.B) (done func()) {
	before := cpuTime(b)
	return func() { b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op") }
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Under a low rate the picture becomes smaller and then slower; each change begins with a key frame that nobody asked for,
// and a decoder can follow: the parameter sets say the new size.
func TestPictureFitsTheRate(t *testing.T) {
	const fps = 30
	v, r := newVideoStream(), newRoom(1280, 720)
	defer v.close()
	v.ladder.Rate = 2_500_000
	v.start = time.Unix(0, 0)
	n := 0
	for _, c := range []struct {
		bps            int
		width, perHalf int // pictures in half a second
		keys           int
	}{{2_500_000, 1280, 15, 1}, {700_000, 960, 15, 1}, {460_000, 640, 15, 1}, {200_000, 640, 8, 1}, {2_500_000, 1280, 15, 1}} {
		out := &tape{}
		v.SetRate(c.bps)
		v.debt = debt{} // what ran ahead is no matter here
		for range fps / 2 {
			if err := v.put(r.draw(n), v.start.Add(time.Duration(n+1)*time.Second/fps), fps, out); err != nil {
				t.Fatal(err)
			}
			n++
		}
		now, full := v.Shapes()
		pictures, keys := out.pictures()
		t.Logf("at %d bit/s: %v of %v, %d pictures in half a second, %d key frames, %d bytes", c.bps, now, full, pictures, keys, out.bytes())
		if now.Width != c.width || full.Width != 1280 || keys != c.keys || pictures < c.perHalf-1 || pictures > c.perHalf {
			t.Errorf("at %d bit/s: %v, %d pictures, %d key frames", c.bps, now, pictures, keys)
		}
	}
}
