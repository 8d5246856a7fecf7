package room

import (
	"context"
	"errors"
	"fmt"
	"time"

	"scanside/media/device"
)

const (
	patience   = 4 * time.Second        // for a driver's open and close; sound servers need up to 2 s
	lookEvery  = 250 * time.Millisecond // at whether the device takes sound
	stalled    = time.Second            // without taking any; a pulled USB loudspeaker shows in nothing else
	retryFirst = 500 * time.Millisecond
	retryMost  = 5 * time.Second
	maxHung    = 4           // drivers' calls that may hang at once
	tooFast    = 2           // times as fast as sound: what takes it so throws it away
	countFor   = time.Second // over so long; only then is a loudspeaker that was opened believed
)

// Run plays until ctx ends, then returns nil.
func (l *Loudspeaker) Run(ctx context.Context) error {
	wait := retryFirst
	failed := make([]time.Time, len(l.cfg.Devices))
	defer func() {
		l.mu.Lock()
		l.state.OK = false
		l.told()
		l.mu.Unlock()
	}()
	for ctx.Err() == nil {
		at, pcm, label, err := l.choose(failed)
		worked := false
		if err == nil {
			worked, err = l.once(ctx, at, pcm, label, failed)
			if err != nil {
				failed[at] = time.Now()
			}
		}
		if err == nil { // ctx ended, or a preferred device is back
			wait = retryFirst
			continue
		}
		l.bad(err)
		if worked {
			wait = retryFirst
		}
		if next, _, _, err := l.choose(failed); err == nil && next != at { // another one is there
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, retryMost)
	}
	return nil
}

// choose takes the first configured device that is there and has not failed lately, else the first that is there. If none
// is, the error is about all of them.
func (l *Loudspeaker) choose(failed []time.Time) (at int, pcm, label string, err error) {
	found := false
	for i, name := range l.cfg.Devices {
		p, n, e := device.FindLoudspeaker(name)
		if e != nil {
			err = errors.Join(err, e)
			continue
		}
		if time.Since(failed[i]) >= l.cfg.betterRest {
			return i, p, n, nil
		}
		if !found {
			found, at, pcm, label = true, i, p, n
		}
	}
	if found {
		err = nil
	}
	return at, pcm, label, err
}

// once opens a device and watches it until it fails, ctx ends or a preferred one is back.
func (l *Loudspeaker) once(ctx context.Context, at int, pcm, label string, failed []time.Time) (worked bool, err error) {
	if l.Playback().Hung >= maxHung {
		return false, fmt.Errorf("the driver of loudspeaker %s hangs: pull its cable and plug it in again, or restart the box", label)
	}
	v, err := newVoice()
	if err != nil {
		return false, fmt.Errorf("opus: build a decoder: %w", err)
	}
	s := &session{l: l, voice: v}
	defer s.over.Store(true)
	ended := make(chan struct{}, 1)
	end, err := l.opened(pcm, label, s.fill, func() {
		select {
		case ended <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return false, err
	}
	defer end()
	defer s.over.Store(true)
	if worked, err = l.watch(ctx, at, label, ended, failed); err != nil {
		l.bad(err) // before it is closed, in which a driver can hang
	}
	return worked, err
}

// opened opens a device, with what it calls while it is open; end closes it. Neither waits for a driver for ever.
func (l *Loudspeaker) opened(pcm, label string, fill func([]byte), ended func()) (end func(), err error) {
	output := l.cfg.open()
	var closeDevice func() // with refused it belongs to the call, until that came back in time
	var refused error
	back := l.bounded(func() { closeDevice, refused = output.Open(pcm, label, fill, ended) }, func() { // it came back after it was given up
		if refused == nil {
			closeDevice()
		}
		output.Close()
	})
	switch {
	case !back:
		return nil, fmt.Errorf("loudspeaker %s did not open within %v: its driver hangs; pull its cable and plug it in again", label, patience)
	case refused != nil:
		output.Close()
		return nil, refused
	}
	return func() { l.bounded(func() { closeDevice(); output.Close() }, func() {}) }, nil
}

// bounded calls into a driver and waits for it, but not for ever. Late is called if it comes back after that.
func (l *Loudspeaker) bounded(call, late func()) bool {
	done := make(chan struct{})
	given := make(chan struct{}) // up
	go func() {
		call()
		select {
		case done <- struct{}{}:
		case <-given:
			late()
			l.hung(-1)
		}
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		l.hung(1)
		close(given)
		return false
	}
}

func (l *Loudspeaker) hung(more int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state.Hung += more
}

// watch says that the device works once it has taken sound at the pace of sound, and returns when it no longer does.
func (l *Loudspeaker) watch(ctx context.Context, at int, label string, ended <-chan struct{}, failed []time.Time) (worked bool, err error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	begun, from, taken := time.Now(), time.Now(), l.taken.Load()
	ctx, cancel := context.WithCancel(ctx)
	preferred := preferred{l: l, names: l.cfg.Devices[:at], failed: failed}
	defer preferred.wait()
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			return true, nil
		case <-ended:
			return worked, fmt.Errorf("loudspeaker %s stopped: check its cable", label)
		case now := <-tick.C:
			last := l.begun.Add(time.Duration(l.asked.Load()))
			if now.Sub(last) > stalled && now.Sub(begun) > stalled+countFor {
				l.mu.Lock()
				l.state.Stalls++
				l.mu.Unlock()
				return worked, fmt.Errorf("loudspeaker %s takes no sound any more: check its cable", label)
			}
			if passed := now.Sub(from); passed >= countFor {
				n := l.taken.Load()
				if float64(n-taken) > tooFast*passed.Seconds()*rate {
					return false, fmt.Errorf("loudspeaker %s takes sound faster than it can be played: it throws it away; name a sound card (\"scanside devices\" lists them)", label)
				}
				if from, taken = now, n; !worked && last.After(begun) {
					worked = true
					l.good(label)
				}
			}
			if preferred.better(ctx, now) {
				return true, nil
			}
		}
	}
}

func (l *Loudspeaker) good(label string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state.Opens++
	l.state.Device = label
	l.state.OK, l.state.Reason, l.state.Since = true, "", time.Now()
	l.log.Info("loudspeaker works", "device", label)
}

func (l *Loudspeaker) bad(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.state.OK && l.state.Reason == why.Error() {
		return
	}
	l.state.OK, l.state.Reason, l.state.Since = false, why.Error(), time.Now()
	l.tone = nil
	l.told()
	l.log.Warn("loudspeaker does not play", "device", l.state.Device, "reason", why.Error())
}
