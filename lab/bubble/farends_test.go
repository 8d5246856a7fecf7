package bubble

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"scanside/agent/status"
	"scanside/lab/observe"
	"scanside/media"
)

// at reports where the box says the room is.
func (d *day) at() status.FarEnd {
	d.t.Helper()
	st, err := d.box.Status(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return st.FarEnd
}

func (d *day) isAt(i int) func() bool {
	return func() bool { return d.at().All[i].Current }
}

func (d *day) told(text string) bool {
	st, err := d.box.Status(d.t.Context())
	return err == nil && slices.ContainsFunc(st.Events, func(e status.Event) bool { return strings.Contains(e.Text, text) })
}

// "Second far end taken when the first is gone": a console that waits there sees the room within 2 s of the decision, and
// stays with it when the first returns. An operator takes the room back.
func TestSecondFarEnd(t *testing.T) {
	for _, c := range []struct {
		name string
		gone func(f *FarEnd)
		back func(f *FarEnd) error
	}{
		{"its program ends", (*FarEnd).Stop, (*FarEnd).Start},
		{"its machine is off", (*FarEnd).Vanish, (*FarEnd).Return},
	} {
		t.Run(c.name, func(t *testing.T) {
			inDay(t, func(d *day) {
				t := d.t
				second, err := d.w.Fars[1].Viewer(d.t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer second.Close()
				c.gone(d.w.Fars[0])
				decided := d.takes(20*time.Second, "the room moves", d.isAt(1))
				media := d.takes(20*time.Second, "picture and voice at the second", second.Receiving)
				t.Logf("first gone: moved after %v, picture and voice at the second %v later", decided, media)
				if decided > 8*time.Second || media > 2*time.Second {
					t.Errorf("moved after %v (want 8 s at most), media after another %v (want 2 s at most)", decided, media)
				}
				if f := d.at(); !strings.Contains(f.Why, "no uplink had reached localhost:8080") || f.URL != d.w.Fars[1].url() {
					t.Errorf("the page says %+v", f)
				}
				d.stays(second, c.back)
			})
		})
	}
}

// stays is what follows when the first far end is back: nothing, until an operator wants it.
func (d *day) stays(second *observe.Viewer, back func(f *FarEnd) error) {
	d.t.Helper()
	if err := back(d.w.Fars[0]); err != nil {
		d.t.Fatal(err)
	}
	time.Sleep(20 * time.Second)
	second.Mark()
	time.Sleep(time.Minute)
	if v := second.Stats(media.Voice); !d.isAt(1)() || v.Lost != 0 || v.LongestGap > 41*time.Millisecond {
		d.t.Errorf("the first far end is back: at it %v, voice at the second %+v", d.isAt(0)(), v)
	}
	first, err := d.w.Fars[0].Viewer(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	defer first.Close()
	if err := d.box.MoveTo(d.t.Context(), d.w.Fars[0].http); err != nil {
		d.t.Fatal(err)
	}
	took := d.takes(10*time.Second, "picture and voice at the first again", first.Receiving)
	d.t.Logf("an operator moved the room back within %v", took)
	if !d.isAt(0)() || !d.told("An operator moved the room") {
		d.t.Errorf("at %+v", d.at())
	}
	if err := d.box.Procedure(d.t.Context(), true); err != nil {
		d.t.Fatal(err)
	}
	time.Sleep(time.Second)
	if err := d.box.MoveTo(d.t.Context(), d.w.Fars[1].http); err == nil || !strings.Contains(err.Error(), "procedure is open") {
		d.t.Errorf("while a procedure is open: %v", err)
	}
}

// All uplinks dead for long, and both far ends there when they return: the room stays where its supervisor is.
func TestUplinksReturnToTheSameFarEnd(t *testing.T) {
	for _, dead := range []time.Duration{20 * time.Second, 45 * time.Second, 3 * time.Minute} {
		inDay(t, func(d *day) {
			t := d.t
			for _, u := range d.w.Set.Names() {
				d.w.Set.Impair(u, "cut")
			}
			time.Sleep(dead)
			d.w.Set.Impair("cellular", "restore")
			before := d.console.Stats(media.Voice).Packets
			took := d.takes(20*time.Second, "voice again", func() bool { return d.console.Stats(media.Voice).Packets > before })
			time.Sleep(10 * time.Second)
			t.Logf("dead for %v: voice after %v", dead, took)
			if !d.isAt(0)() || took > 2*time.Second {
				t.Errorf("dead for %v: voice after %v, at %+v", dead, took, d.at())
			}
		})
	}
}

// A box that is started again is where the room was.
func TestRestartedBoxStays(t *testing.T) {
	inDay(t, func(d *day) {
		t := d.t
		d.w.Fars[0].Vanish()
		d.takes(20*time.Second, "the room moves", d.isAt(1))
		time.Sleep(time.Second)
		d.w.Box.Stop()
		if err := d.w.Fars[0].Return(); err != nil {
			t.Fatal(err)
		}
		var err error
		if d.w.Box, err = d.w.StartBox(boxHTTP, d.state); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if f := d.at(); !f.All[1].Current || !f.Reached {
			t.Errorf("after the restart at %+v", f)
		}
	})
}

// A far end that answers but serves nobody counts as gone; one where another box serves the room does not: there would be two
// rooms.
func TestRefusingFarEnd(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		moves  bool
	}{
		{"in trouble", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, true},
		{"another box", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusConflict)
			_, _ = w.Write([]byte(`{"type":"urn:scanside:problem:other-box","title":"Site room-1 is served by another box."}`))
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			inDay(t, func(d *day) {
				first := d.w.Fars[0]
				first.Stop()
				defer d.w.internet.serve(first.http, c.answer)()
				time.Sleep(30 * time.Second)
				if moved := d.isAt(1)(); moved != c.moves {
					d.t.Errorf("moved %v, want %v: %+v", moved, c.moves, d.at())
				}
			})
		})
	}
}
