package bubble

import (
	"fmt"
	"testing"
	"time"

	"scanside/lab/scenario"
)

// standbyCost is what the metered uplink moved, in megabytes an hour, as a carrier bills them (TARGETS G11).
type standbyCost struct {
	Idle              float64 `json:"idle_mb_per_hour"` // both directions together
	ProcedureSent     float64 `json:"procedure_sent_mb_per_hour"`
	ProcedureReceived float64 `json:"procedure_received_mb_per_hour"`
}

// What a metered uplink costs that stands by, and what voice copies cost in a procedure: a physician talks and watches all
// the time, both uplinks are well, and the box was told nothing about protection. Bytes are counted, so the bound on an idle
// uplink holds on any machine. In a procedure the target is 25 MB an hour each way: Opus takes 12.8 of them, the headers of RTP, SRTP,
// UDP and IP 10.1, and probes 1.5.
// SCANSIDE_RESULT names a file that gets the JSON line.
func TestStandbyCost(t *testing.T) {
	s, err := scenario.Parse("standby", `# standby
length 60s
uplink primary 20ms
uplink cellular 60ms metered
protect voice default
protect video default
expect voice.lost = 0`)
	if err != nil {
		t.Fatal(err)
	}
	inDayOf(t, s, func(d *day) {
		var cost standbyCost
		time.Sleep(time.Minute) // what was proving has been proven
		sent, received := d.w.hourly(d.t, "cellular", 6*time.Minute)
		cost.Idle = sent + received
		d.procedure(true)
		time.Sleep(5 * time.Second)
		cost.ProcedureSent, cost.ProcedureReceived = d.w.hourly(d.t, "cellular", 2*time.Minute)
		figures(d.t, cost)
		if cost.Idle > 0.5 || cost.ProcedureSent > 25 || cost.ProcedureReceived > 25 {
			d.t.Errorf("more than 0.5 MB an hour idle, or 25 each way in a procedure: %+v", cost)
		}
	})
}

// hourly is what an uplink moves, MB an hour each way, counted for so long.
func (w *World) hourly(t *testing.T, uplink string, over time.Duration) (sent, received float64) {
	s0, r0 := w.bytes(t, uplink)
	time.Sleep(over)
	s1, r1 := w.bytes(t, uplink)
	return (s1 - s0) / 1e6 / over.Hours(), (r1 - r0) / 1e6 / over.Hours()
}

// bytes reads the uplink's counters.
func (w *World) bytes(t *testing.T, uplink string) (sent, received float64) {
	t.Helper()
	of := func(direction string) float64 {
		return w.metric(t, fmt.Sprintf(`scanside_uplink_bytes_total{direction=%q,link=%q}`, direction, uplink))
	}
	return of("sent"), of("received")
}
