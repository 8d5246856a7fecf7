package device

import (
	"errors"
	"flag"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"scanside/media"
)

var soakFor = flag.Duration("soak", 5*time.Minute, "simulated time that TestSoakDevices plugs devices in and out for")

// restless is a device that works for a while, fails in one of the ways that devices fail in, and is away for a while. It holds a
// real file while it is open, so that one left open is seen.
type restless struct {
	mu    sync.Mutex
	r     *rand.Rand
	until time.Time // the present mood ends
	mood  int
	turns int
}

const (
	works = iota
	away
	pulled // while open
	damaged
	mute
	hangs
	moods
)

// now is the device's mood.
func (d *restless) now() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := time.Now(); now.After(d.until) {
		d.turns++
		d.mood = works
		if d.turns%2 == 0 {
			d.mood = 1 + d.r.IntN(moods-1)
		}
		d.until = now.Add(time.Duration(1+d.r.IntN(20)) * time.Second)
	}
	return d.mood
}

func (d *restless) turned() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.turns
}

func (d *restless) openFile() (*os.File, error) {
	switch d.now() {
	case away, pulled:
		return nil, syscall.ENODEV
	}
	return os.Open(os.DevNull)
}

func (d *restless) camera() (*capture, error) {
	f, err := d.openFile()
	if err != nil {
		return nil, err
	}
	drawn, img := &script{}, image.NewYCbCr(image.Rect(0, 0, 64, 48), image.YCbCrSubsampleRatio422)
	return &capture{name: "restless", mode: mode{formatYUYV, 64, 48, 5}, close: f.Close, read: func() (shot, error) {
		switch d.now() {
		case away, pulled:
			return shot{}, syscall.ENODEV
		case damaged:
			time.Sleep(200 * time.Millisecond)
			return shot{}, errDamaged
		case mute:
			time.Sleep(ReadTimeout)
			return shot{}, errors.New("no picture within 1s")
		case hangs:
			time.Sleep(15 * time.Second)
			return shot{}, errors.New("let go")
		}
		time.Sleep(200 * time.Millisecond)
		drawn.enliven(img)
		return taken(img), nil
	}}, nil
}

// capture is a microphone with the same moods.
func (d *restless) capture(_ string, write func([]byte), ended func()) (func(), error) {
	if d.now() == hangs {
		time.Sleep(15 * time.Second)
	}
	f, err := d.openFile()
	if err != nil {
		return nil, err
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		pcm := make([]byte, 2*voiceFrame)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for n := byte(1); ; n += 2 {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			switch d.now() {
			case works:
				for i := range pcm {
					pcm[i] = n
				}
				write(pcm)
			case damaged:
				write(make([]byte, len(pcm)))
			case pulled, away:
				ended()
			}
		}
	}()
	return func() {
		if d.now() == hangs {
			time.Sleep(15 * time.Second)
		}
		close(stop)
		<-stopped
		_ = f.Close()
	}, nil
}

func (d *restless) Close() {}

// counted takes a stream in and checks that it is one: numbers follow each other and time goes forward.
type counted struct {
	last    *rtp.Packet
	packets int
	wrong   string
}

func (c *counted) WriteRTP(p *rtp.Packet) error {
	if l := c.last; l != nil && (p.SequenceNumber != l.SequenceNumber+1 || int32(p.Timestamp-l.Timestamp) < 0) && c.wrong == "" {
		c.wrong = fmt.Sprintf("packet %d at %d after %d at %d", p.SequenceNumber, p.Timestamp, l.SequenceNumber, l.Timestamp)
	}
	c.last = p
	c.packets++
	return nil
}

// Hours of plugging in and out, two cameras and two microphones, with drivers that hang: one stream each, and nothing is left
// behind: no goroutine, no descriptor, no memory of C's.
func TestSoakDevices(t *testing.T) {
	if !inOneArena(t) {
		return
	}
	seed := rand.New(rand.NewPCG(4, uint64(*soakFor)))
	devices := []*restless{}
	device := func() *restless {
		d := &restless{r: rand.New(rand.NewPCG(seed.Uint64(), 1))}
		devices = append(devices, d)
		return d
	}
	files := openFiles(t)
	synctest.Test(t, func(t *testing.T) {
		cam := NewCamera(CameraConfig{Devices: []string{"front", "ceiling"}, VideoConfig: VideoConfig{Width: 64, Height: 48, FPS: 5, Bitrate: 100_000}})
		for _, l := range cam.lenses {
			l.open = device().camera
		}
		mic, err := NewMicrophone(MicrophoneConfig{Devices: []string{"RoomMic", "Spare"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range mic.ears {
			d := device()
			e.find = func() (string, string, error) { return "", "restless", nil }
			e.load = func() soundSource { return d }
		}
		picture, voice := &counted{}, &counted{}
		stopCamera, stopMicrophone := run(t, cam, picture), run(t, mic, voice)
		goroutines := runtime.NumGoroutine()
		time.Sleep(min(10*time.Minute, *soakFor/5)) // caches fill
		before, most := resident(t), 0
		for end := time.Now().Add(*soakFor); time.Now().Before(end); time.Sleep(min(time.Minute, *soakFor/5)) {
			most = max(most, runtime.NumGoroutine()-goroutines)
		}
		grown := resident(t) - before
		turns := 0
		for _, d := range devices {
			turns += d.turned()
		}
		t.Logf("a cycle of %v: devices changed %d times; %d pictures' packets, %d of voice; at most %d goroutines more than at first, memory grew by %.1f MB",
			*soakFor, turns, picture.packets, voice.packets, most, float64(grown)/1e6)
		for _, c := range []media.Choice{cam.Choice(), mic.Choice()} {
			for _, d := range c.Devices {
				t.Logf("a cycle's %s: opened %d times, hung %d times, %d bad pictures", d.Name, d.Health.Opens, d.Health.Hung, d.Health.Bad)
			}
			t.Logf("a cycle's takeovers: %+v", c.Takeovers)
			if c.Breaches > 0 {
				t.Errorf("%d steps broke an invariant of the choice", c.Breaches)
			}
		}
		if picture.wrong != "" || voice.wrong != "" {
			t.Errorf("not one stream: picture %s, voice %s", picture.wrong, voice.wrong)
		}
		if grown > 8e6 {
			t.Errorf("memory grew by %d bytes", grown)
		}
		// Of a device: one that keeps it open, one that waits for the mute, one in the driver, and mostHung left behind there; of a
		// microphone each of the last two with one that speaks.
		if bound := 2*(3+mostHung) + 2*(3+mostHung+1+mostHung); most > bound {
			t.Errorf("%d goroutines more than at first", most)
		}
		stopCamera()
		stopMicrophone()
		time.Sleep(time.Hour) // whatever hangs lets go; what does not is a deadlock of the bubble
	})
	if now := openFiles(t); now != files {
		t.Errorf("%d files open, %d before", now, files)
	}
}
