package content_test

import (
	"fmt"
	"testing"
	"time"

	"scanside/lab/roomscene"
	"scanside/media"
	"scanside/media/content"
)

// frame is the time between two pictures; judges look no more often.
const frame = time.Second / 10

// camera gives a judge pictures on media time.
type camera struct {
	t     *testing.T
	room  *roomscene.Room
	judge *content.Picture
	at    time.Time
}

func newCamera(t *testing.T, seed uint64, w, h int) *camera {
	return &camera{t: t, room: roomscene.New(seed, w, h), judge: content.NewPicture(content.DefaultPolicy()), at: time.Unix(1000, 0)}
}

// show gives pictures for so long and returns when the verdict first was want, counted from now; -1: never.
func (c *camera) show(long time.Duration, want content.Fault, picture func(t time.Duration) content.Luma) time.Duration {
	first := time.Duration(-1)
	for t := time.Duration(0); t < long; t += frame {
		v := c.judge.See(c.at, time.Time{}, picture(t))
		if v.Fault == want && first < 0 {
			first = t
		}
		c.at = c.at.Add(frame)
	}
	return first
}

func (c *camera) shot(s roomscene.Shot) func(time.Duration) content.Luma {
	return func(time.Duration) content.Luma { return c.room.Draw(s) }
}

func lit() roomscene.Shot { return roomscene.Lit() }

// TARGETS G17: camera frozen, black: said within 2 s; and it is taken back when the room is there again.
func TestPictureFaultsAreSaidWithinTwoSeconds(t *testing.T) {
	sizes := [][2]int{{320, 180}, {640, 360}, {1280, 720}}
	if testing.Short() {
		sizes = sizes[:1]
	}
	for _, size := range sizes {
		seeds := uint64(320 * 3 / size[0]) // a large picture takes long to draw
		for seed := uint64(1); seed <= max(seeds, 1); seed++ {
			for _, story := range roomscene.PictureStories() {
				t.Run(fmt.Sprintf("%s/%dx%d/room %d", story.Name, size[0], size[1], seed), func(t *testing.T) {
					c := newCamera(t, seed, size[0], size[1])
					c.show(11*time.Second, content.None, c.shot(lit()))
					if d := c.show(2*time.Second, story.Fault, c.shot(story.Shot)); d < 0 {
						t.Fatalf("not said within 2 s; %+v", c.judge.Look())
					}
					if d := c.show(2*time.Second, content.None, c.shot(lit())); d < 0 {
						t.Errorf("not taken back 2 s after the room was there again; %+v", c.judge.Look())
					}
				})
			}
		}
	}
}

// A camera that starts with the fault has no past to be held against.
func TestPictureFaultsFromTheStart(t *testing.T) {
	for _, story := range roomscene.PictureStories() {
		c := newCamera(t, 5, 320, 180)
		c.show(2*time.Second, story.Fault, c.shot(story.Shot))
		v := c.judge.See(c.at, time.Time{}, c.room.Draw(story.Shot))
		if v.Fault.Weight() != content.Unusable { // covered by a hand or blurred: without a past both may be said
			t.Errorf("%s: %v, want %v or another that says that nothing can be seen", story.Name, v.Fault, story.Fault)
		}
	}
}

func TestFrozen(t *testing.T) {
	c := newCamera(t, 1, 640, 360)
	c.show(11*time.Second, content.None, c.shot(lit()))
	still := c.room.Draw(lit())
	if d := c.show(2*time.Second, content.Frozen, func(time.Duration) content.Luma { return still }); d < 0 {
		t.Fatal("the same bytes for 2 s are not called frozen")
	}
	if d := c.show(time.Second, content.None, c.shot(lit())); d < 0 || d > 500*time.Millisecond {
		t.Errorf("a camera that lives again is believed after %v", d)
	}
	// The camera's own clock goes on over a sensor that hangs.
	still = c.room.Draw(lit())
	n := byte(0)
	if d := c.show(2*time.Second, content.Frozen, func(time.Duration) content.Luma {
		n += 37
		for y := range 12 {
			for x := range 80 {
				still.Pix[(y+8)*still.Stride+x+8] = byte(x)*3 + n
			}
		}
		return still
	}); d < 0 {
		t.Errorf("a hung sensor under a running clock is not called frozen: %+v", c.judge.Look())
	}
}

func TestPicturesThatAreWell(t *testing.T) {
	pattern := media.NewPattern(640, 360, 30)
	bars := func() content.Luma { // vivid's: bars that stand, and a counter that runs
		l := content.Luma{Pix: make([]byte, 640*360), Stride: 640, Width: 640, Height: 360}
		for i := range l.Pix {
			l.Pix[i] = byte(235 - i%640/80*25)
		}
		return l
	}()
	n := 0
	stories := []struct {
		name    string
		picture func(c *camera, t time.Duration) content.Luma
	}{
		{"the drawn test picture", func(c *camera, t time.Duration) content.Luma {
			n++
			img := pattern.Draw(uint64(n), c.at)
			return content.Luma{Pix: img.Y, Stride: img.YStride, Width: 640, Height: 360}
		}},
		{"a virtual camera's bars with a counter", func(c *camera, t time.Duration) content.Luma {
			bars.Pix[20*640+30+int(t/frame)%8]++
			return bars
		}},
		{"each picture twice, as at half rate in the dark", func(c *camera, t time.Duration) content.Luma {
			if int(t/frame)%2 == 0 {
				return c.room.Draw(roomscene.Shot{Light: 0.3, Noise: 4})
			}
			return c.room.Luma()
		}},
		{"a person passes close to the lens, again and again", func(c *camera, t time.Duration) content.Luma {
			s := lit()
			if t%(3*time.Second) < 900*time.Millisecond {
				s.Hand = 1
			}
			return c.room.Draw(s)
		}},
		{"the autofocus hunts", func(c *camera, t time.Duration) content.Luma {
			s := lit()
			if t%(4*time.Second) < 1200*time.Millisecond {
				s.Blur = 40
			}
			return c.room.Draw(s)
		}},
		{"half the lens is covered", func(c *camera, t time.Duration) content.Luma {
			s := lit()
			s.Hand = 0.5
			return c.room.Draw(s)
		}},
		{"a lamp flickers", func(c *camera, t time.Duration) content.Luma {
			s := lit()
			if t%(2*time.Second) < 700*time.Millisecond {
				s.Light = 0.02
			}
			return c.room.Draw(s)
		}},
	}
	for _, story := range stories {
		t.Run(story.name, func(t *testing.T) {
			c := newCamera(t, 2, 640, 360)
			c.show(20*time.Second, content.None, func(at time.Duration) content.Luma {
				if v := c.judge.See(c.at, time.Time{}, content.Luma{}); v.Fault != content.None {
					t.Fatalf("%v after %v: %+v", v.Fault, at, c.judge.Look())
				}
				return story.picture(c, at)
			})
		})
	}
}

// A picture that is black and stands still is black: a sensor in the dark has nothing to change.
func TestBlackIsNotFrozen(t *testing.T) {
	c := newCamera(t, 1, 320, 180)
	black := content.Luma{Pix: make([]byte, 320*180), Stride: 320, Width: 320, Height: 180}
	if d := c.show(2*time.Second, content.Black, func(time.Duration) content.Luma { return black }); d < 0 {
		t.Error("not called black")
	}
	if d := c.show(2*time.Second, content.Frozen, func(time.Duration) content.Luma { return black }); d >= 0 {
		t.Error("called frozen")
	}
}

func TestBackward(t *testing.T) {
	for name, stamp := range map[string]func(at time.Time, n int) time.Time{
		"runs backwards": func(at time.Time, n int) time.Time {
			return time.Unix(1000, 0).Add(-time.Duration(n) * time.Millisecond)
		},
		"stands":            func(time.Time, int) time.Time { return time.Unix(1000, 0) },
		"is an hour fast":   func(at time.Time, n int) time.Time { return at.Add(time.Hour) },
		"pairs in disorder": func(at time.Time, n int) time.Time { return at.Add(-time.Duration(n%2) * 2 * frame) },
	} {
		j, at, said := content.NewPicture(content.DefaultPolicy()), time.Unix(1000, 0), false
		for n := range 40 {
			said = said || j.See(at, stamp(at, n), content.Luma{}).Fault == content.Backward
			at = at.Add(frame)
		}
		if want := name != "pairs in disorder"; said != want { // disorder now and then is no clock that runs backwards; its pictures are left out by the device
			t.Errorf("a clock that %s: said %v, want %v", name, said, want)
		}
		for range 40 {
			at = at.Add(frame)
			j.See(at, at.Add(-10*time.Millisecond), content.Luma{})
		}
		if v := j.See(at, time.Time{}, content.Luma{}); v.Fault != content.None {
			t.Errorf("a clock that %s and was put right: %v", name, v.Fault)
		}
	}
}

// T2: a gap in the material is no evidence.
func TestGapIsNoEvidence(t *testing.T) {
	j, at := content.NewPicture(content.DefaultPolicy()), time.Unix(1000, 0)
	room := roomscene.New(1, 320, 180)
	still := room.Draw(lit())
	for range 20 {
		if v := j.See(at, time.Time{}, still); v.Fault != content.None {
			t.Fatalf("%v by pictures 2 s apart", v.Fault)
		}
		at = at.Add(2 * time.Second)
	}
}

// T4: what cannot be looked at changes nothing.
func TestNothingToSee(t *testing.T) {
	j, at := content.NewPicture(content.DefaultPolicy()), time.Unix(1000, 0)
	for _, l := range []content.Luma{
		{}, {Pix: []byte{1}, Stride: 1, Width: 1, Height: 1}, {Pix: make([]byte, 100), Stride: 640, Width: 640, Height: 480},
		{Pix: make([]byte, 16*16), Stride: 8, Width: 16, Height: 16},
		{Pix: make([]byte, 17*19), Stride: 19, Width: 17, Height: 17},
	} {
		at = at.Add(time.Second)
		if v := j.See(at, time.Time{}, l); v.Fault != content.None {
			t.Errorf("%dx%d: %v", l.Width, l.Height, v.Fault)
		}
	}
}

// Ordinary life raises nothing. `make content` does the same for hours.
func TestNoFalseAlarmOfPictures(t *testing.T) {
	const step = 100 * time.Millisecond
	rooms := uint64(3)
	if testing.Short() {
		rooms = 1
	}
	for seed := uint64(1); seed <= rooms; seed++ {
		room, day, j := roomscene.New(seed, 320, 180), roomscene.NewDay(seed), content.NewPicture(content.DefaultPolicy())
		for at := time.Duration(0); at < 5*time.Minute; at += step {
			if v := j.See(time.Unix(0, 0).Add(at), time.Time{}, room.Draw(day.At(at, step))); v.Fault != content.None {
				t.Fatalf("room %d after %v: %v; %+v", seed, at, v.Fault, j.Look())
			}
		}
	}
}

func BenchmarkPicture720p30(b *testing.B) {
	room := roomscene.New(1, 1280, 720)
	l := room.Draw(lit())
	j, at := content.NewPicture(content.DefaultPolicy()), time.Unix(0, 0)
	b.ReportAllocs()
	for b.Loop() { // one second of a camera
		for range 30 {
			at = at.Add(time.Second / 30)
			l.Pix[0]++
			j.See(at, at, l)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*100, "%core")
}
