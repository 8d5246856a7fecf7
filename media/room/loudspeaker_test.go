package room

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hraban/opus"
	"github.com/pion/rtp"
	"go.uber.org/goleak"

	"scanside/media/playout"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// card is a sound card that plays in the time of a synctest bubble. What it played is kept.
type card struct {
	mu     sync.Mutex
	played []int16
	opens  int
	refuse error         // Open says so
	hang   chan struct{} // Open does not come back before it is closed
	pulled chan struct{} // it takes no sound any more, without a word
	pace   time.Duration // for 10 ms of sound; 0: 10 ms
}

func (c *card) Close() {}

func (c *card) Open(_, _ string, fill func([]byte), _ func()) (func(), error) {
	c.mu.Lock()
	refuse, hang, pulled := c.refuse, c.hang, c.pulled
	c.opens++
	c.mu.Unlock()
	if hang != nil {
		<-hang
	}
	if refuse != nil {
		return nil, refuse
	}
	closed, gone := make(chan struct{}), make(chan struct{})
	pace := c.pace
	if pace == 0 {
		pace = 10 * time.Millisecond
	}
	go func() {
		defer close(gone)
		tick := time.NewTicker(pace)
		defer tick.Stop()
		buf := make([]byte, 2*tenMs)
		for {
			select {
			case <-closed:
				return
			case <-pulled:
				<-closed
				return
			case <-tick.C:
				fill(buf)
				c.mu.Lock()
				for i := 0; i < len(buf); i += 2 {
					c.played = append(c.played, int16(binary.LittleEndian.Uint16(buf[i:])))
				}
				c.mu.Unlock()
			}
		}
	}()
	return func() { close(closed); <-gone }, nil
}

func (c *card) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// loud is the root mean square of the last so much that was played.
func (c *card) loud(d time.Duration) float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(int(d*rate/time.Second), len(c.played))
	return rms(c.played[len(c.played)-n:])
}

func rms(pcm []int16) float64 {
	sum := 0.0
	for _, v := range pcm {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(max(len(pcm), 1)))
}

// physician speaks a hum of 200 Hz in packets of 20 ms.
type physician struct {
	enc *opus.Encoder
	n   int
}

func (p *physician) packet(t testing.TB) *rtp.Packet {
	t.Helper()
	if p.enc == nil {
		var err error
		if p.enc, err = opus.NewEncoder(rate, 1, opus.AppVoIP); err != nil {
			t.Fatal(err)
		}
		p.enc.SetInBandFEC(true)
		p.enc.SetPacketLossPerc(20)
	}
	pcm := make([]int16, 960)
	for i := range pcm {
		pcm[i] = int16(8000 * math.Sin(2*math.Pi*200*float64(p.n*960+i)/rate))
	}
	buf := make([]byte, 1500)
	n, err := p.enc.Encode(pcm, buf)
	if err != nil {
		t.Fatal(err)
	}
	p.n++
	return &rtp.Packet{Header: rtp.Header{SequenceNumber: uint16(p.n), Timestamp: uint32(p.n * 960)}, Payload: buf[:n]}
}

// start runs a loudspeaker on a card inside a bubble.
func start(t *testing.T, c *card, cfg Config) (*Loudspeaker, func()) {
	t.Helper()
	cfg.Devices = []string{"pcm:card"}
	cfg.open = func() outputDevice { return c }
	l, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	return l, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestVoiceIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &card{}
		var reference int
		l, stop := start(t, c, Config{Volume: 100, Played: func(pcm []int16) { reference += len(pcm) }})
		defer stop()
		time.Sleep(time.Second)
		if c.loud(time.Second) != 0 {
			t.Error("there is sound although nobody speaks")
		}
		p := &physician{}
		for n := range 150 {
			packet := p.packet(t)
			if n%20 != 7 { // 5 % are lost
				l.WriteRTP(packet)
			}
			time.Sleep(20 * time.Millisecond)
		}
		if got := c.loud(2 * time.Second); got < 4000 || got > 7000 {
			t.Errorf("the hum is heard at %.0f, want about 5657", got)
		}
		s := l.Playback()
		if !s.OK || s.Buffer.Played < 135 || s.Buffer.Corrected < 6 || s.Buffer.Underruns > 1 {
			t.Errorf("%+v", s)
		}
		if reference == 0 {
			t.Error("the echo canceller was told of nothing")
		}
		time.Sleep(time.Second)
		if c.loud(500*time.Millisecond) != 0 {
			t.Error("there is sound after the physician has ended")
		}
	})
}

// The volume is obeyed, never beyond its maximum and never down to nothing.
func TestVolume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &card{}
		l, stop := start(t, c, Config{Volume: 50, Most: 80})
		defer stop()
		time.Sleep(2 * time.Second)
		hum := make([]int16, rate)
		for i := range hum {
			hum[i] = int16(10000 * math.Sin(2*math.Pi*500*float64(i)/rate))
		}
		for _, ask := range []struct{ percent, is int }{{50, 50}, {80, 80}, {100, 80}, {0, LeastVolume}} {
			l.SetVolume(ask.percent)
			played, err := l.Play(hum)
			if err != nil {
				t.Fatal(err)
			}
			<-played
			want := 10000 / math.Sqrt2 * gain(int64(ask.is))
			if got := c.loud(500 * time.Millisecond); math.Abs(got-want) > want/20+1 {
				t.Errorf("asked for %d %%: %.0f is heard, want %.0f", ask.percent, got, want)
			}
			if v := l.Playback().Volume; v != ask.is {
				t.Errorf("asked for %d %%: it says %d %%, want %d", ask.percent, v, ask.is)
			}
		}
	})
}

// What is wrong is said, and the loudspeaker comes back by itself.
func TestDeviceTrouble(t *testing.T) {
	for _, c := range []struct {
		story string
		spoil func(*card) (mend func())
		says  string
		soon  time.Duration
	}{
		{"pulled out", func(c *card) func() { close(c.pulled); return func() { c.pulled = nil } }, "takes no sound any more", 1500 * time.Millisecond},
		{"it throws sound away", func(c *card) func() { return func() { c.pace = 0 } }, "throws it away", 6 * time.Second},
	} {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dev := &card{pulled: make(chan struct{})}
				if c.says == "throws it away" {
					dev.pace = time.Millisecond
				}
				l, stop := start(t, dev, Config{})
				defer stop()
				time.Sleep(1500 * time.Millisecond)
				if l.Playback().OK == (dev.pace > 0) {
					t.Fatalf("%+v", l.Playback())
				}
				var mend func()
				dev.set(func() { mend = c.spoil(dev) })
				time.Sleep(c.soon)
				if s := l.Playback(); s.OK || !strings.Contains(s.Reason, c.says) {
					t.Fatalf("%+v", s)
				}
				if _, err := l.Play(make([]int16, 480)); err == nil {
					t.Error("it takes a tone that nobody will hear")
				}
				dev.set(mend)
				time.Sleep(10 * time.Second)
				if s := l.Playback(); !s.OK {
					t.Errorf("it did not come back: %+v", s)
				}
			})
		})
	}
}

// A driver that hangs holds nothing up, is said, and is not piled upon; when it comes back all goes on.
func TestHungDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &card{hang: make(chan struct{})}
		l, stop := start(t, c, Config{})
		time.Sleep(5 * time.Second)
		if s := l.Playback(); s.OK || !strings.Contains(s.Reason, "hangs") || s.Hung != 1 {
			t.Errorf("%+v", s)
		}
		time.Sleep(5 * time.Minute)
		if s := l.Playback(); s.Hung != maxHung || c.opens != maxHung {
			t.Errorf("%d calls hang, want %d: %+v", c.opens, maxHung, s)
		}
		close(c.hang)
		time.Sleep(10 * time.Second)
		if s := l.Playback(); !s.OK || s.Hung != 0 {
			t.Errorf("it did not come back: %+v", s)
		}
		stop()
	})
}

func TestRefusedDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &card{refuse: errors.New("loudspeaker X is in use by another program: close that program")}
		l, stop := start(t, c, Config{})
		defer stop()
		time.Sleep(time.Second)
		if s := l.Playback(); s.OK || s.Reason != c.refuse.Error() {
			t.Errorf("%+v", s)
		}
		c.set(func() { c.refuse = nil })
		time.Sleep(12 * time.Second)
		if !l.Playback().OK {
			t.Error("it did not come back")
		}
	})
}

// ALSA's null device plays everything and is never heard.
func TestNullIsNoLoudspeaker(t *testing.T) {
	for _, name := range []string{"pcm:null", "null", "pcm:", "pcm:null:x"} {
		if _, err := New(Config{Devices: []string{name}}); err == nil {
			t.Errorf("%q was taken for a loudspeaker", name)
		}
	}
}

func BenchmarkVoice(b *testing.B) {
	p := &physician{}
	packet := p.packet(b)
	v, err := newVoice()
	if err != nil {
		b.Fatal(err)
	}
	out := make([]int16, 0, 4096)
	for b.Loop() { // 20 ms of voice each
		out = v.play(out[:0], playout.Step{Kind: playout.Decode, Payload: packet.Payload, Samples: 960})
	}
}
