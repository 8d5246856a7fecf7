package reference

import (
	"testing"
	"testing/synctest"
	"time"
)

// Copies count once, what never came is lost, and a silence that lasts counts too.
func TestEar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e Ear
		e.hear(stamp(1)) // before the mark
		e.Mark()
		for n := uint32(10); n < 20; n++ {
			time.Sleep(Cadence)
			if n == 15 || n == 16 {
				continue
			}
			data := stamp(n)
			time.Sleep(3 * time.Millisecond)
			e.hear(data)
			e.hear(data)
			e.hear(stamp(9)) // sent before the mark
		}
		if h := e.Heard(); h.Packets != 8 || h.Lost != 2 || h.GapMS != 63 || h.LatencyMS != 3 || h.Silent {
			t.Errorf("%+v", h)
		}
		time.Sleep(time.Second)
		if h := e.Heard(); h.Lost != 52 || h.GapMS != 1000 || !h.Silent {
			t.Errorf("after a second of silence: %+v", h)
		}
		if e.Total() != 25 {
			t.Errorf("%d packets came, want 25", e.Total())
		}
	})
}
