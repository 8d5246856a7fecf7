package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"
)

func (w *world) beat(c *http.Client, desk string, b beat) {
	w.t.Helper()
	text, err := json.Marshal(b)
	must(w.t, err)
	res, err := c.Post("http://"+farHTTP+"/rooms/north/presence?desk="+desk, "application/json", bytes.NewReader(text))
	must(w.t, err)
	res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		w.t.Fatalf("heartbeat: %s", res.Status)
	}
}

func (w *world) askPresence(after uint64, wait int) (p Presence) {
	w.t.Helper()
	path := "/api/v1/sites/north/presence"
	if after > 0 {
		path += fmt.Sprintf("?after=%d&wait=%d", after, wait)
	}
	transport := &http.Transport{DialContext: uplinkNet{nil, w}.DialContext, DisableKeepAlives: true}
	w.get(&http.Client{Transport: transport}, path, w.tokens[0], &p)
	return p
}

func TestPresence(t *testing.T) {
	bubble(t, []string{"2", "50", "60"}, func(t *testing.T, w *world) {
		p := w.askPresence(0, 0)
		if p.Present || p.Site != "north" || p.Talk != nil || p.Supervisors == nil || p.Watchers == nil {
			t.Errorf("an empty room: %+v", p)
		}
		ada, eve := w.client("ada"), w.client("eve")
		first := p.Version

		// Who waits is told at once.
		began := time.Now()
		go func() {
			time.Sleep(time.Second)
			w.beat(ada, "one", beat{Sees: true})
		}()
		p = w.askPresence(first, 20)
		if d := time.Since(began); d > 1100*time.Millisecond || !p.Present || len(p.Supervisors) != 1 || p.Version == first {
			t.Fatalf("after %v: %+v", d, p)
		}
		if s := p.Supervisors[0]; s.Name != "Dr Ada Example" || s.Role != Supervisor || !s.Sees || s.Hears || s.Talking {
			t.Errorf("supervisor %+v", s)
		}
		// Two windows are one person; one of them sees, the other hears.
		w.beat(ada, "two", beat{Hears: true})
		p = w.askPresence(0, 0)
		if len(p.Supervisors) != 1 || !p.Supervisors[0].Sees || !p.Supervisors[0].Hears {
			t.Errorf("two windows: %+v", p.Supervisors)
		}
		// An observer is no supervisor.
		w.beat(eve, "three", beat{Sees: true})
		if p = w.askPresence(0, 0); len(p.Supervisors) != 1 {
			t.Errorf("an observer counts: %+v", p.Supervisors)
		}
		// Nothing changes: the answer comes when the time is over, with the same version.
		began = time.Now()
		again := w.askPresence(p.Version, 2)
		if d := time.Since(began); d < 2*time.Second || d > 2100*time.Millisecond || again.Version != p.Version {
			t.Errorf("after %v: version %d, was %d", d, again.Version, p.Version)
		}
		// A closed window, and one that falls silent.
		w.beat(ada, "two", beat{Leaving: true})
		if p = w.askPresence(0, 0); !p.Present || p.Supervisors[0].Hears {
			t.Errorf("one window left: %+v", p.Supervisors)
		}
		began = time.Now()
		for p.Present && time.Since(began) < time.Minute {
			p = w.askPresence(p.Version, 25)
		}
		if d := time.Since(began); d > deskGone || p.Present {
			t.Errorf("a silent window counts for %v", d)
		}
	})
}

// Nobody looks in unseen: whoever is given the picture is named to the box, heartbeat or not.
func TestWatchersAreNamed(t *testing.T) {
	bubble(t, []string{"2", "50", "60"}, func(t *testing.T, w *world) {
		w.newBox("box-1", "run-1", "2")
		v := w.watch("eve", "50")
		time.Sleep(500 * time.Millisecond)
		p := w.askPresence(0, 0)
		if len(p.Watchers) != 1 || p.Watchers[0] != (Watcher{"Eve Example", Observer}) || p.Observers != 1 || p.Present {
			t.Errorf("presence %+v", p)
		}
		v.Close()
		time.Sleep(500 * time.Millisecond)
		if p = w.askPresence(0, 0); len(p.Watchers) != 0 || p.Observers != 0 {
			t.Errorf("after leaving: %+v", p)
		}
		doc, err := w.talkAs("ada", "60", "")
		must(t, err)
		time.Sleep(time.Second)
		p = w.askPresence(0, 0)
		if p.Talk == nil || p.Talk.Name != "Dr Ada Example" || !p.Talk.Voice || !p.Talk.Video || !p.Present || !p.Supervisors[0].Talking {
			t.Errorf("presence %+v, talk %+v", p, p.Talk)
		}
		began := time.Now()
		go func() {
			time.Sleep(time.Second)
			doc.Close()
		}()
		for p.Talk != nil && time.Since(began) < 10*time.Second {
			p = w.askPresence(p.Version, 5)
		}
		if d := time.Since(began); d > 1500*time.Millisecond || p.Talk != nil {
			t.Errorf("the end of the talk was told after %v", d)
		}
	})
}
