package bubble

import (
	"fmt"
	"testing"
	"time"

	"scanside/media"
)

// recovery is one figure of G12.
type recovery struct {
	What    string  `json:"what"`
	Dead    float64 `json:"dead_s"`
	Voice   float64 `json:"voice_ms"`   // from the return of what was dead until the far end's stream goes on
	Picture float64 `json:"picture_ms"` // likewise, until a whole picture is shown
	Same    bool    `json:"same_session"`
	Aim     float64 `json:"aim_ms"`
}

// keepsFor is how long an outage leaves sessions alive for certain (RFC 7675: consent ends after 30 s).
const keepsFor = 25 * time.Second

// G12: "All links dead <= 25 s: media again <= 1 RTT + 100 ms after the first returns, same session; dead longer, or far end
// restarted: <= 2 s." SCANSIDE_RESULT names a file that gets the figures.
func TestG12(t *testing.T) {
	roundTrips := map[string]time.Duration{"primary": 20 * time.Millisecond, "cellular": 60 * time.Millisecond}
	var all []recovery
	for _, dead := range []time.Duration{5 * time.Second, 20 * time.Second, 40 * time.Second, 120 * time.Second} {
		for _, first := range []string{"primary", "cellular"} {
			aim := 2 * time.Second
			if dead <= keepsFor {
				aim = roundTrips[first] + 100*time.Millisecond
			}
			t.Run(fmt.Sprintf("%s first after %v", first, dead), func(t *testing.T) {
				inDay(t, func(d *day) {
					for _, u := range d.w.Set.Names() {
						d.w.Set.Impair(u, "cut")
					}
					time.Sleep(dead)
					d.w.Set.Impair(first, "restore")
					r := d.recovers(dead, aim)
					r.What, r.Same = "all uplinks dead, "+first+" first", !d.told("The connection over "+first+" ended")
					if r.Same != (dead <= keepsFor) {
						d.t.Errorf("the session is the same: %v", r.Same)
					}
					all = append(all, r)
				})
			})
		}
	}
	for _, dead := range []time.Duration{3 * time.Second, 40 * time.Second} {
		t.Run(fmt.Sprintf("far end away for %v", dead), func(t *testing.T) {
			inDay(t, func(d *day) {
				d.w.Fars[1].Stop() // else the room would move
				f := d.w.Fars[0]
				f.Stop()
				time.Sleep(dead)
				if err := f.Start(); err != nil {
					d.t.Fatal(err)
				}
				began := time.Now()
				for d.console.Close(); ; time.Sleep(time.Millisecond) { // people sign in again
					late, err := f.Viewer(d.t.Context())
					if err == nil {
						d.console = late
						break
					}
				}
				signIn := time.Since(began)
				d.console.Mark()
				r := d.recovers(dead, 2*time.Second-signIn)
				r.What, r.Voice, r.Picture, r.Aim = "far end restarted, console included", r.Voice+inMS(signIn), r.Picture+inMS(signIn), 2000
				all = append(all, r)
			})
		})
	}
	figures(t, map[string]any{"figure": "G12", "world": "bubble", "recoveries": all})
}

// recovers measures how long it is until the console has voice and picture again.
func (d *day) recovers(dead, aim time.Duration) recovery {
	d.t.Helper()
	packets, picture := d.console.Stats(media.Voice).Packets, shows(d.console)
	voice := d.takes(20*time.Second, "voice again", func() bool { return d.console.Stats(media.Voice).Packets > packets })
	whole := voice + d.takes(20*time.Second, "picture again", picture)
	if voice > aim {
		d.t.Errorf("voice came %v after the return, want %v at most", voice, aim)
	}
	if whole > aim {
		d.t.Errorf("a whole picture came %v after the return, want %v at most", whole, aim)
	}
	return recovery{Dead: dead.Seconds(), Voice: inMS(voice), Picture: inMS(whole), Aim: inMS(aim)}
}
