package link

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Where probes are rare, voice that falls silent brings two at once; that a probe is lost alone proves nothing.
func TestEars(t *testing.T) {
	for _, c := range []struct {
		name   string
		every  time.Duration // between probes
		jitter time.Duration // of every other packet of voice
		want   []int         // ms from the last packet of voice to each probe, of the first 140 ms
	}{
		{"steady voice falls silent", 400 * time.Millisecond, 0, []int{30, 32, 82, 132}},
		{"voice with gaps of 30 ms falls silent", 400 * time.Millisecond, 10 * time.Millisecond, []int{44, 46, 96}},
		{"probes are frequent anyway", defaultProbeEvery, 0, []int{50, 100}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var e ears
				var mu sync.Mutex
				var sent []time.Time
				p := newProber(func() time.Duration { return c.every }, &e, func(uint32) error {
					mu.Lock()
					defer mu.Unlock()
					sent = append(sent, time.Now())
					return nil
				}, func(Sample) {})
				done := make(chan struct{})
				var gone sync.WaitGroup
				gone.Go(func() { p.run(done) })
				for range 101 { // 2 s
					e.heard(time.Now())
					time.Sleep(20*time.Millisecond + c.jitter)
					c.jitter = -c.jitter
				}
				last := e.last
				time.Sleep(140*time.Millisecond - time.Since(last))
				close(done)
				gone.Wait()
				var got []int
				for _, at := range sent {
					if after := at.Sub(last); after > 0 {
						got = append(got, int(after.Milliseconds()))
					}
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("probes %v ms after the last voice, want %v", got, c.want)
				}
			})
		})
	}
	var deaf *ears
	if now := time.Now(); deaf.hushed(now) || !deaf.before(now).Equal(now) {
		t.Error("without ears something was heard")
	}
}
