package room

import (
	"context"
	"errors"
	"sync"
	"time"
)

// mostRecorded bounds what an Ear keeps: a few seconds for the self-test.
const mostRecorded = 5 * time.Second

// Ear lets the self-test hear what the microphone gives, before its echo is taken out. It keeps sound only while Record waits
// for it. The zero value is ready; Heard and Record may be called at once.
type Ear struct {
	mu   sync.Mutex
	want int // samples
	got  []int16
	full chan struct{}
}

// Heard is told of each piece of the microphone's sound.
func (e *Ear) Heard(pcm []int16) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.full == nil || len(e.got) == e.want {
		return
	}
	e.got = append(e.got, pcm[:min(len(pcm), e.want-len(e.got))]...)
	if len(e.got) == e.want {
		close(e.full)
	}
}

// Record gives the next d of sound, or what came of it within a second more.
func (e *Ear) Record(ctx context.Context, d time.Duration) ([]int16, error) {
	full := make(chan struct{})
	e.mu.Lock()
	if e.full != nil {
		e.mu.Unlock()
		return nil, errors.New("the microphone is being tested already")
	}
	d = min(d, mostRecorded)
	e.want, e.full = int(d*rate/time.Second), full
	e.got = make([]int16, 0, e.want)
	e.mu.Unlock()
	timer := time.NewTimer(d + time.Second)
	defer timer.Stop()
	select {
	case <-full:
	case <-timer.C:
	case <-ctx.Done():
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	pcm := e.got
	e.got, e.full = nil, nil
	return pcm, ctx.Err()
}
