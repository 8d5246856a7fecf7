package agent

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"

	"scanside/agent/status"
	"scanside/media"
)

// cone is a loudspeaker that keeps what it is given, and works or does not as the test says.
type cone struct {
	mu      sync.Mutex
	packets int
	state   media.Playback
	tones   int
}

func (c *cone) WriteRTP(*rtp.Packet) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.packets++
	return nil
}
func (c *cone) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (c *cone) Playback() media.Playback {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state
	s.LastFrame = time.Now()
	return s
}
func (c *cone) SetVolume(percent int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Volume = min(max(percent, leastVolume), 80)
}
func (c *cone) Play([]int16) (<-chan struct{}, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tones++
	return nil, nil
}

// What the room hears the physician by is part of the page, of the verdict's inputs and of the problems; its volume outlives
// a restart.
func TestLoudspeaker(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Site, cfg.FarEnd = "demo", FarEnd{URL: "http://127.0.0.1:1", Token: "token"}
	cfg.Uplinks = []Uplink{{Name: "primary", Address: "127.0.0.2"}}
	cfg.Status.Listen, cfg.StateDir = "", t.TempDir()
	c := &cone{}
	c.state.Volume = 70
	a, err := New(cfg, Parts{Loudspeaker: c})
	if err != nil {
		t.Fatal(err)
	}
	defer a.back.out[media.Voice].Close()
	see := func() (status.Loudspeaker, []status.Problem) {
		a.loop.publish(time.Now())
		st := a.Snapshot().Status
		return st.Loudspeaker, st.Problem
	}
	for _, say := range []struct {
		state media.Health
		level status.Level
		asked bool // known, by supervision's input
		plays bool
	}{
		{media.Health{}, status.Unknown, false, false},
		{media.Health{OK: true}, status.OK, true, true},
		{media.Health{Reason: "loudspeaker X is not plugged in: check its cable"}, status.Bad, true, false},
	} {
		c.state.Health = say.state
		got, problems := see()
		if got.Level != say.level || got.Plays != say.plays {
			t.Errorf("%+v is shown as %+v", say.state, got)
		}
		if in := a.hears(time.Now()); in.Known != say.asked || in.Plays != say.plays || in.Elsewhere {
			t.Errorf("%+v is judged by %+v", say.state, in)
		}
		said := false
		for _, p := range problems {
			said = said || p.ID == "loudspeaker-failed" && strings.Contains(p.Text, "not plugged in")
		}
		if said != (say.level == status.Bad) {
			t.Errorf("%+v: among the problems is %v", say.state, said)
		}
	}
	post := func(what string) int {
		w := httptest.NewRecorder()
		atConsole(a).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "http://127.0.0.1/api/v1/loudspeaker/"+what, nil))
		return w.Code
	}
	for what, code := range map[string]int{"louder": 204, "tone": 204, "explode": 404} {
		if got := post(what); got != code {
			t.Errorf("%s: %d, want %d", what, got, code)
		}
	}
	if c.tones != 1 || c.state.Volume != 80 {
		t.Errorf("%d tones, volume %d", c.tones, c.state.Volume)
	}
	c2 := &cone{}
	again, err := New(cfg, Parts{Loudspeaker: c2})
	if err != nil {
		t.Fatal(err)
	}
	defer again.back.out[media.Voice].Close()
	if c2.state.Volume != 80 {
		t.Errorf("after a restart the volume is %d, want 80", c2.state.Volume)
	}
	a.back.out[media.Voice].WriteRTP(&rtp.Packet{Header: rtp.Header{SequenceNumber: 1}, Payload: []byte{8}})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		c.mu.Lock()
		n := c.packets
		c.mu.Unlock()
		if n == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the physician's voice does not reach the loudspeaker")
		}
	}
}

func TestNoLoudspeaker(t *testing.T) {
	a := &Agent{}
	if in := a.hears(time.Now()); !in.Elsewhere {
		t.Errorf("%+v", in)
	}
	if s := a.viewLoudspeaker(); s.Configured || s.Level != status.Unknown {
		t.Errorf("%+v", s)
	}
}
