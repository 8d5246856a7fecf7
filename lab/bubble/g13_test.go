package bubble

import (
	"testing"
	"time"
)

// singleHomed is one figure of G13.
type singleHomed struct {
	Dead  string  `json:"dead"`                 // the uplink
	Heard float64 `json:"people_said_again_ms"` // from the cut until the far end says who is there
	Back  float64 `json:"restarted_far_end_ms"` // from its start until the box is connected to it
}

// G13: "Nothing single-homed: signalling, DNS, probes, metrics work over any living uplink within 1 s." With each uplink dead in turn
// the far end goes on saying who is there, and a far end that is restarted meanwhile is found again over the other. (Look-ups by name
// need real name servers: `make recovery`.) SCANSIDE_RESULT names a file that gets the figures.
func TestNothingSingleHomed(t *testing.T) {
	var all []singleHomed
	for _, dead := range []string{"primary", "cellular"} {
		t.Run(dead+" is dead", func(t *testing.T) {
			inDay(t, func(d *day) {
				d.w.Set.Impair(dead, "cut")
				struck := time.Now()
				heard := d.takes(5*time.Second, "the far end says who is there", func() bool {
					f := d.at()
					if !f.Known {
						d.t.Errorf("%v after the cut it is not known who is there", time.Since(struck))
					}
					return time.Now().Add(-time.Duration(f.PeopleAge * float64(time.Millisecond))).After(struck.Add(time.Millisecond))
				})
				d.t.Logf("%s dead: who is there was said again after %v", dead, heard)
				if heard > time.Second+publishing {
					d.t.Errorf("who is there was said again only after %v", heard)
				}
				d.w.Fars[1].Stop()
				if err := d.w.Fars[0].Start(); err != nil {
					d.t.Fatal(err)
				}
				restarted := time.Now()
				back := d.takes(5*time.Second, "connected again", func() bool {
					st, err := d.box.Status(d.t.Context())
					return err == nil && st.FarEnd.Reached && st.FarEnd.Known && st.FarEnd.Heard.After(restarted)
				})
				d.t.Logf("%s dead: connected to the restarted far end after %v", dead, back)
				if back > 2*time.Second {
					d.t.Errorf("connected to the restarted far end only after %v", back)
				}
				all = append(all, singleHomed{Dead: dead, Heard: inMS(heard), Back: inMS(back)})
			})
		})
	}
	figures(t, all...)
}

// publishing is how old a status document may be.
const publishing = time.Second
