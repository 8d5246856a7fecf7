package gateway

import (
	"testing"
	"time"

	"scanside/link"
	"scanside/media"
)

// The box says what an uplink carries to the room: the talker sends no more than that, on the uplink that takes his picture only, and
// as much as before once the box says nothing of a limit any more. In each answer the box is told what went to it.
func TestTalkerFitsTheWayToTheRoom(t *testing.T) {
	bubble(t, []string{"2", "3", "60"}, func(t *testing.T, w *world) {
		b := w.newBox("box-1", "run-1", "2", "3")
		_, err := w.talkAs("ada", "60", "")
		must(t, err)
		b.carry("2")
		time.Sleep(2 * time.Second)
		wire := func() int { // bit/s of the picture over uplink 2
			before := b.bytes["2"][media.Video].Load()
			time.Sleep(2 * time.Second)
			return int(b.bytes["2"][media.Video].Load()-before) * 8 / 2
		}
		say := func(uplink string, rate int) {
			for range 6 {
				b.sessions[uplink].AskRate(rate)
				time.Sleep(500 * time.Millisecond)
			}
		}
		full := wire()
		say("3", 300_000)
		other := wire()
		say("2", 500_000)
		b.sessions["2"].AskRate(500_000)
		thin := wire()
		time.Sleep(link.RateHolds + time.Second)
		again := wire()
		t.Logf("the picture takes %d bit/s; %d with a limit elsewhere, %d with 500000 here, %d afterwards", full, other, thin, again)
		if full < 1_500_000 || other < full*9/10 || thin < 250_000 || thin > 500_000 || again < full*9/10 {
			t.Error("the talker does not fit the way to the room")
		}
		if back := b.told.Load(); back == nil || back.Packets < 100 || back.Bytes < 100*(link.Headers+500) {
			t.Errorf("the box was told that %+v went to it", back)
		}
	})
}
