package bandwidth

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"scanside/lab/emu"
)

const ms = time.Millisecond

// room is a sender of voice and picture over one emulated uplink that obeys the estimate as the failover engine does, only
// without its patience.
type room struct {
	pipe   *emu.Pipe
	random *rand.Rand
	est    Estimator
	now    time.Duration

	video    float64 // bit/s wanted, without a limit
	rate     float64 // bit/s sent now
	left     Count
	arrived  uint64
	unit     time.Duration // the far clock's offset
	back     []answer
	estimate Estimate

	longestVoice    time.Duration // way of a packet of voice
	limits          int           // times that a limit was learned
	least, greatest int           // limits while one was known, since mark
}

type answer struct {
	due time.Duration
	w   Word
}

const (
	voice = 'v'
	video = 'p'
	probe = 'q'
)

var begin = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func newRoom(s emu.Shape) *room {
	return &room{pipe: emu.NewPipe(s, 7), random: rand.New(rand.NewPCG(1, 2)), video: 2_000_000, rate: 2_000_000, unit: time.Hour}
}

func (r *room) packet(kind byte, size int) {
	data := make([]byte, size)
	data[0] = kind
	binary.BigEndian.PutUint64(data[1:], uint64(r.now))
	binary.BigEndian.PutUint64(data[9:], r.left.Packets)
	binary.BigEndian.PutUint64(data[17:], r.left.Bytes)
	if kind != probe {
		r.left.Packets++
		r.left.Bytes += uint64(size)
	}
	r.pipe.Push(begin.Add(r.now), emu.Packet{Data: data})
}

// run lets that much time pass, a millisecond at a time.
func (r *room) run(d time.Duration) {
	for end := r.now + d; r.now < end; r.now += ms {
		step := int(r.now / ms)
		if r.video > 0 && step%33 == 0 {
			size := int(r.rate / 8 * 0.033 * (0.75 + r.random.Float64()/2))
			for ; size > 0; size -= 1180 {
				r.packet(video, min(size, 1180)+50)
			}
		}
		if step%20 == 0 {
			r.packet(voice, 130)
		}
		if step%50 == 0 {
			r.packet(probe, 80)
		}
		r.deliver()
		r.hear()
	}
}

func (r *room) deliver() {
	for {
		p, ok := r.pipe.Pop(begin.Add(r.now))
		if !ok {
			return
		}
		sent := time.Duration(binary.BigEndian.Uint64(p.Data[1:]))
		switch p.Data[0] {
		case probe:
			left := Count{binary.BigEndian.Uint64(p.Data[9:]), binary.BigEndian.Uint64(p.Data[17:])}
			w := Word{At: sent, Way: r.now - sent + r.unit, Left: left, Arrived: r.arrived}
			r.back = append(r.back, answer{r.now + 10*ms, w})
			continue
		case voice:
			r.longestVoice = max(r.longestVoice, r.now-sent)
		}
		r.arrived++
	}
}

func (r *room) hear() {
	for len(r.back) > 0 && r.back[0].due <= r.now {
		before := r.estimate.Rate
		r.estimate = r.est.Take(r.back[0].w)
		r.back = r.back[1:]
		if e := r.estimate; e.Rate > 0 {
			if before == 0 {
				r.limits++
			}
			r.least, r.greatest = min(r.least, e.Rate), max(r.greatest, e.Rate)
		}
		r.rate = r.video
		if e := r.estimate; e.Rate > 0 {
			r.rate = min(r.video, max(200_000, float64(e.Rate-80_000)*(1-min(1, e.Queue.Seconds()))))
		}
	}
}

// mark begins to count anew.
func (r *room) mark() { r.longestVoice, r.limits, r.least, r.greatest = 0, 0, 1<<62, 0 }

func (r *room) shape(change func(*emu.Shape)) {
	s := r.pipe.Shape()
	change(&s)
	r.pipe.Reshape(s)
}

func (r *room) String() string {
	return fmt.Sprintf("at %v: estimate %d kbit/s queue %v, sending %d; limits learned %d, %d to %d kbit/s; longest way of voice %v",
		r.now, r.estimate.Rate/1000, r.estimate.Queue, int(r.rate)/1000, r.limits, r.least/1000, r.greatest/1000, r.longestVoice)
}

// A link that carries all it is given has shown no limit, whatever else is wrong with it.
func TestUnknownIsUnknown(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape emu.Shape
		then  func(*emu.Shape)
		video float64
	}{
		{"a good link", emu.Shape{Delay: 10 * ms}, nil, 2e6},
		{"it carries voice alone", emu.Shape{Delay: 30 * ms}, nil, 0},
		{"jitter of 100 ms, in order", emu.Shape{Delay: 10 * ms, Jitter: 100 * ms}, nil, 2e6},
		{"jitter of 100 ms that lets packets overtake", emu.Shape{Delay: 10 * ms, Jitter: 100 * ms, Reorder: true}, nil, 2e6},
		{"5 % loss", emu.Shape{Delay: 10 * ms, Loss: 0.05}, nil, 2e6},
		{"the way becomes 300 ms longer", emu.Shape{Delay: 10 * ms}, func(s *emu.Shape) { s.Delay = 310 * ms }, 2e6},
		{"the way becomes 300 ms shorter", emu.Shape{Delay: 310 * ms}, func(s *emu.Shape) { s.Delay = 10 * ms }, 2e6},
		{"a rate that is just enough", emu.Shape{Delay: 10 * ms, Rate: 3_000_000}, nil, 2e6},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoom(c.shape)
			r.video, r.rate = c.video, c.video
			r.mark()
			r.run(20 * time.Second)
			if c.then != nil {
				r.shape(c.then)
			}
			r.run(40 * time.Second)
			t.Log(r)
			if r.limits > 0 || r.estimate != (Estimate{}) {
				t.Errorf("a limit was learned: %v", r)
			}
		})
	}
}

// Loss that does not go when less is sent is the radio's: the rate comes back.
func TestLossThatIsNotOurs(t *testing.T) {
	r := newRoom(emu.Shape{Delay: 10 * ms})
	r.run(20 * time.Second)
	r.shape(func(s *emu.Shape) { s.Loss = 0.3 })
	r.mark()
	r.run(60 * time.Second)
	t.Log(r)
	if r.estimate.Rate != 0 || r.limits > 1 {
		t.Errorf("loss of 30 %% is taken for a limit: %v", r)
	}
}

// A machine that is late itself makes every way long; told of it, the estimator learns nothing from that.
func TestOurOwnStallIsNoQueue(t *testing.T) {
	for _, told := range []bool{false, true} {
		r := newRoom(emu.Shape{Delay: 10 * ms})
		r.mark()
		r.run(20 * time.Second)
		for stall := range 200 { // each becomes worse for a fifth of a second
			for i := range 4 {
				r.shape(func(s *emu.Shape) { s.Delay = time.Duration(10+60*i) * ms })
				r.run(50 * ms)
				if told {
					r.est.Stalled(r.now)
				}
			}
			r.shape(func(s *emu.Shape) { s.Delay = 10 * ms })
			r.run(time.Duration(200+stall%7*50) * ms)
		}
		t.Logf("told %v: %v", told, r)
		if (r.limits == 0) != told {
			t.Errorf("told %v: %v", told, r)
		}
	}
}

// The rate collapses: the estimate comes to what is left, from above, and the queue goes.
func TestCollapse(t *testing.T) {
	for _, c := range []struct {
		rate, queue int
	}{{600_000, 64 << 10}, {1_200_000, 64 << 10}, {400_000, 64 << 10}, {600_000, 16 << 10}, {600_000, 512 << 10}} {
		t.Run(fmt.Sprintf("%d kbit/s with %d KiB", c.rate/1000, c.queue>>10), func(t *testing.T) {
			r := newRoom(emu.Shape{Delay: 10 * ms, Rate: 2_500_000, Queue: c.queue})
			r.run(30 * time.Second)
			r.mark()
			if r.estimate.Rate != 0 {
				t.Errorf("before: %v", r)
			}
			r.shape(func(s *emu.Shape) { s.Rate = c.rate })
			r.run(time.Second)
			t.Log(r)
			if r.estimate.Rate == 0 {
				t.Errorf("a second after: %v", r)
			}
			r.run(5 * time.Second)
			t.Log(r)
			r.mark()
			r.run(60 * time.Second)
			t.Log(r)
			if r.least < c.rate/2 || r.greatest > c.rate*3/2 {
				t.Errorf("estimates are far from the rate of %d kbit/s: %v", c.rate/1000, r)
			}
			if r.longestVoice > 400*ms {
				t.Errorf("voice waits long after the estimate has settled: %v", r)
			}
			r.shape(func(s *emu.Shape) { s.Rate = 5_000_000 })
			r.run(60 * time.Second)
			t.Log(r)
			if r.rate < 2_000_000 {
				t.Errorf("the rate does not come back: %v", r)
			}
		})
	}
}

// A policer drops what is too much and queues nothing.
func TestPolicer(t *testing.T) {
	r := newRoom(emu.Shape{Delay: 10 * ms, Rate: 800_000, Queue: 6000})
	r.mark()
	r.run(60 * time.Second)
	t.Log(r)
	if r.least < 400_000 || r.greatest > 1_600_000 || r.limits == 0 {
		t.Errorf("estimates are far from the rate: %v", r)
	}
}
