package access

import (
	"context"
	"errors"
	"time"
)

const (
	hasherWait  = 5 * time.Second // a sign-in waits this long for its turn
	hasherQueue = 16              // sign-ins that wait at once; each holds a connection
)

// ErrBusy is what a sign-in gets that did not have its turn.
var ErrBusy = errors.New("too many people are signing in at this moment; try again in a few seconds")

// hasher compares passwords one at a time, and rests after each as long as it took: whoever floods the sign-in takes 32 MiB and half a
// core, and nothing from the pictures.
type hasher struct {
	turn  chan struct{}
	queue chan struct{}
}

func newHasher() *hasher {
	return &hasher{turn: make(chan struct{}, 1), queue: make(chan struct{}, hasherQueue)}
}

// do runs work when it is its turn.
func (h *hasher) do(ctx context.Context, work func()) error {
	select {
	case h.queue <- struct{}{}:
		defer func() { <-h.queue }()
	default:
		return ErrBusy
	}
	ctx, cancel := context.WithTimeout(ctx, hasherWait)
	defer cancel()
	select {
	case h.turn <- struct{}{}:
	case <-ctx.Done():
		return ErrBusy
	}
	began := time.Now()
	work()
	time.AfterFunc(time.Since(began), func() { <-h.turn })
	return nil
}
