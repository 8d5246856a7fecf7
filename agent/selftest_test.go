package agent

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scanside/agent/status"
	"scanside/media"
	"scanside/media/synthetic"
)

// chamber is a loudspeaker and a microphone in one room: what is played is heard, late and softer, if they work.
type chamber struct {
	cone
	mu    sync.Mutex
	deaf  bool
	spoke bool // somebody speaks when he is asked to
	sound []int16
}

func (c *chamber) Play(pcm []int16) (<-chan struct{}, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sound = append([]int16(nil), pcm...)
	done := make(chan struct{})
	close(done)
	return done, nil
}

func (c *chamber) Record(ctx context.Context, d time.Duration) ([]int16, error) {
	pause(ctx, d)
	c.mu.Lock()
	defer c.mu.Unlock()
	pcm := make([]int16, int(d.Seconds()*media.ToneRate))
	if c.deaf {
		return pcm, nil
	}
	for i := range pcm { // the room's air
		pcm[i] = int16(i*7919%41 - 20)
	}
	if d == speakFor && c.spoke {
		var voice media.Tone
		voice.Read(pcm)
		return pcm, nil
	}
	if d != chirpFor {
		return pcm, nil
	}
	for i, v := range c.sound[:min(len(c.sound), len(pcm)-4800)] {
		pcm[4800+i] += v / 4
	}
	return pcm, ctx.Err()
}

func TestSelfTest(t *testing.T) {
	for _, c := range []struct {
		story string
		room  *chamber
		fails map[string]string // check: in its sentence
	}{
		{"all is well", &chamber{spoke: true}, nil},
		{"nobody said anything", &chamber{}, map[string]string{"say-something": "No voice was heard"}},
		{"the microphone is dead", &chamber{deaf: true}, map[string]string{"say-something": "not even noise", "speaker-to-microphone": "does not hear the loudspeaker"}},
	} {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.room.state.Health = media.Health{OK: true}
				a := testedAgent(t, c.room)
				got := a.test(t)
				if len(got.Results) != 3 || got.Say != "" || got.At.IsZero() {
					t.Fatalf("%+v", got)
				}
				for _, r := range got.Results {
					if want, fails := c.fails[r.Name]; r.Pass == fails || !strings.Contains(r.Sentence, want) || fails == (r.Do == "") {
						t.Errorf("%+v", r)
					}
				}
				if got.Passed() != (c.fails == nil) {
					t.Errorf("passed: %v", got.Passed())
				}
			})
		})
	}
}

// Nothing is played into a procedure: none is begun in one, and one that is opened meanwhile ends it.
func TestNoSelfTestInAProcedure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := &chamber{spoke: true}
		room.state.Health = media.Health{OK: true}
		a := testedAgent(t, room)
		if err := (boxed{a.Agent}).StartSelfTest(); err != nil {
			t.Fatal(err)
		}
		if err := (boxed{a.Agent}).StartSelfTest(); !errors.Is(err, status.ErrTesting) {
			t.Errorf("two at once: %v", err)
		}
		a.loop.turned(time.Now(), true, "ada")
		a.loop.publish(time.Now())
		time.Sleep(20 * time.Second)
		got := (boxed{a.Agent}).SelfTest()
		if got.Running || len(got.Results) > 1 || got.Passed() || !strings.Contains(got.Say, "broken off") || room.sound != nil {
			t.Errorf("%+v", got)
		}
		if err := (boxed{a.Agent}).StartSelfTest(); !errors.Is(err, status.ErrOpen) {
			t.Errorf("in a procedure: %v", err)
		}
	})
}

type tested struct{ *Agent }

// test makes one.
func (a tested) test(t *testing.T) status.SelfTest {
	t.Helper()
	if err := (boxed{a.Agent}).StartSelfTest(); err != nil {
		t.Fatal(err)
	}
	for range 600 {
		time.Sleep(100 * time.Millisecond)
		if s := (boxed{a.Agent}).SelfTest(); !s.Running {
			return s
		}
	}
	t.Fatal("the self-test does not end")
	return status.SelfTest{}
}

// testedAgent is an agent of which only sources and tester run.
func testedAgent(t *testing.T, room *chamber) tested {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Site, cfg.FarEnd = "demo", FarEnd{URL: "http://127.0.0.1:1", Token: "token"}
	cfg.Uplinks = []Uplink{{Name: "primary", Address: "127.0.0.2"}}
	cfg.Status.Listen, cfg.StateDir = "", ""
	a, err := New(cfg, Parts{Loudspeaker: room, Ear: room, Sources: []media.Source{synthetic.NewVideo(synthetic.VideoConfig{}), synthetic.NewVoice()}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, s := range a.sources {
		running.Go(func() { s.Run(ctx) })
	}
	running.Go(func() { a.tester.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		for _, f := range a.back.out {
			f.Close()
		}
	})
	return tested{a}
}
