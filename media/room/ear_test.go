package room

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestEar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &Ear{}
		e.Heard(make([]int16, 960)) // nobody records: nothing is kept
		if e.got != nil {
			t.Error("it keeps what nobody asked for")
		}
		go func() {
			for i := range 60 {
				time.Sleep(20 * time.Millisecond)
				e.Heard([]int16{int16(i), 0})
			}
		}()
		pcm, err := e.Record(t.Context(), time.Millisecond) // 48 samples: 24 pieces
		if err != nil || len(pcm) != 48 || pcm[2] != 1 || e.got != nil {
			t.Errorf("%v, %v", pcm, err)
		}
		time.Sleep(2 * time.Second)
		begun := time.Now()
		if pcm, err := e.Record(t.Context(), time.Second); len(pcm) != 0 || err != nil || time.Since(begun) != 2*time.Second {
			t.Errorf("of a dead microphone: %d samples, %v, after %v", len(pcm), err, time.Since(begun))
		}
	})
}
