package gateway

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"sync"
	"time"

	"scanside/media"
)

// Times a room goes by.
const (
	// repairEvery is how often the mergers are asked what to ask again: one packet of voice.
	repairEvery = 20 * time.Millisecond
	// idleEvery is the same in a room without a box and without a talker: only people's presence ages there.
	idleEvery = 250 * time.Millisecond
	// boxAlive is how long a box that fell silent holds its room against another box.
	boxAlive = 3 * time.Second
	// flowing is how recent a packet must be for a stream to count as flowing.
	flowing = time.Second
)

// room is one site's: the box's media come in over several uplinks and go out to viewers, the talker's go the other way.
//
// The lock guards who is there. Packets do not take it: they go through mergers and stages. No peer is closed under the
// lock, because closing waits for callbacks that may want it.
type room struct {
	site  Site
	token [sha256.Size]byte // hash of the box's token
	log   *slog.Logger
	ends  *enders

	out  [media.NumKinds]stage // to viewers
	back [media.NumKinds]stage // to the box

	onward *onward // passes the room on; nil: nobody does

	keyFrame     media.KeyFrameGate // viewers ask the box
	talkKeyFrame media.KeyFrameGate // the box asks the talker

	mu      sync.Mutex
	run     *run
	retired []string // ids of runs that were replaced
	viewers []*viewer
	talk    *talk
	desks   []*desk
	notice  *notice
	sums    sums // of runs and talks that are over
	closed  bool

	wake chan struct{} // the room has something to do again
}

func newRoom(site Site, ends *enders, log *slog.Logger) *room {
	r := &room{site: site, log: log.With("site", site.ID), ends: ends, notice: newNotice(site.ID), wake: make(chan struct{}, 1)}
	for k := range media.NumKinds {
		r.out[k].fan = media.NewFanout(media.FanoutConfig{Kind: media.Kind(k)})
		r.back[k].fan = media.NewFanout(media.FanoutConfig{Kind: media.Kind(k)})
	}
	return r
}

// keep does what the room must do by itself, until ctx ends.
func (r *room) keep(ctx context.Context) {
	timer := time.NewTimer(idleEvery)
	defer timer.Stop()
	var nextReview, nextMeasure time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-timer.C:
		}
		now := time.Now()
		busy := r.repair(now)
		r.mirror(now)
		r.fit(now)
		r.heldKeyFrames(now)
		if !now.Before(nextMeasure) {
			r.measure()
			nextMeasure = now.Add(time.Second)
		}
		if !now.Before(nextReview) {
			r.askForWaiting(now)
			r.review(now)
			nextReview = now.Add(idleEvery)
		}
		timer.Reset(map[bool]time.Duration{true: repairEvery, false: idleEvery}[busy])
	}
}

// stir makes keep look again now.
func (r *room) stir() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// repair asks for what is missing on all legs: over the uplink that brought something last, and in turn over the others
// that live, so that an uplink that is dead in one direction only cannot swallow every request.
func (r *room) repair(now time.Time) (busy bool) {
	r.mu.Lock()
	run, talk := r.run, r.talk
	type request struct {
		to   interface{ AskRepair(media.Kind, []uint16) }
		kind media.Kind
		seqs []uint16
	}
	var requests []request
	if run != nil {
		for k, m := range run.mergers {
			best, others := run.best(media.Kind(k))
			if best == nil {
				continue
			}
			busy = true
			seqs := m.Repairs(now)
			if len(seqs) == 0 {
				continue
			}
			best = run.alternate(best, others, now)
			requests = append(requests, request{best.in, media.Kind(k), seqs})
		}
	}
	if talk != nil {
		busy = true
		for k, m := range talk.mergers {
			if seqs := m.Repairs(now); len(seqs) > 0 {
				requests = append(requests, request{talk.in, media.Kind(k), seqs})
			}
		}
	}
	r.mu.Unlock()
	for _, q := range requests {
		q.to.AskRepair(q.kind, q.seqs)
	}
	return busy
}

// alternate takes every second request to another uplink that lives.
func (run *run) alternate(best *uplink, others []*uplink, now time.Time) *uplink {
	run.asked++
	if run.asked%2 == 0 {
		for _, u := range others {
			if now.Sub(u.in.LastHeard()) < mirrorWindow {
				return u
			}
		}
	}
	return best
}

// askKeyFrame takes a viewer's request to the box, at most one per half second.
func (r *room) askKeyFrame(now time.Time) {
	if r.keyFrame.Ask(now) {
		r.sendKeyFrame()
	}
}

// backAgain asks for key frames at the first packet after a silence on all uplinks: whoever watches has missed too much to go on from, and
// will ask himself half a second late. The picture's silence is about the picture; voice's, which never stops by itself, about both ways.
func (r *room) backAgain(k media.Kind, now time.Time) {
	switch {
	case k == media.Video && r.watched() && r.keyFrame.Anew(now):
		r.sendKeyFrame()
	case k == media.Voice && r.talkKeyFrame.Anew(now):
		r.sendTalkKeyFrame()
	}
}

func (r *room) sendKeyFrame() {
	r.mu.Lock()
	var to *uplink
	if r.run != nil {
		to, _ = r.run.best(media.Video)
	}
	if to == nil {
		r.mu.Unlock()
		return
	}
	in := to.in
	r.sums.keyFrames++
	r.mu.Unlock()
	in.AskKeyFrame()
}

// askTalkKeyFrame takes the box's request to the talker.
func (r *room) askTalkKeyFrame(now time.Time) {
	if r.talkKeyFrame.Ask(now) {
		r.sendTalkKeyFrame()
	}
}

func (r *room) sendTalkKeyFrame() {
	r.mu.Lock()
	talk := r.talk
	r.mu.Unlock()
	if talk != nil {
		talk.in.AskKeyFrame()
	}
}

func (r *room) heldKeyFrames(now time.Time) {
	if r.keyFrame.Due(now) {
		r.sendKeyFrame()
	}
	if r.talkKeyFrame.Due(now) {
		r.sendTalkKeyFrame()
	}
}

// measure takes one second's readings of losses and gaps.
func (r *room) measure() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.run == nil {
		return
	}
	now := time.Now()
	for k, m := range r.run.mergers {
		r.run.gaps[k].add(m.TakeGap())
	}
	for _, u := range r.run.uplinks {
		for k := range u.legs {
			if !u.arrived(media.Kind(k), now, mirrorWindow) {
				u.losses[k] = lossMeter{} // it was not given packets: what it missed is no loss
				continue
			}
			u.losses[k].add(u.legs[k].Stats())
		}
	}
}

// endSignedOut ends whatever people had open here who have been signed out.
func (r *room) endSignedOut() {
	r.mu.Lock()
	var over []closer
	for _, v := range r.viewers {
		if v.sess.over() {
			over = append(over, v.out)
		}
	}
	if r.talk != nil && r.talk.sess.over() {
		over = append(over, r.endTalk()...)
	}
	r.mu.Unlock()
	r.ends.close(over)
	r.review(time.Now())
}

// shut ends every peer of the room.
func (r *room) shut() {
	r.mu.Lock()
	r.closed = true
	var over []closer
	for _, v := range r.viewers {
		over = append(over, v.out)
	}
	if r.talk != nil {
		over = append(over, r.talk.in)
	}
	if r.run != nil {
		over = append(over, r.run.leave()...)
		r.run = nil
	}
	r.mu.Unlock()
	r.ends.close(over)
}

func without[T any](all []T, gone func(T) bool) []T {
	kept := make([]T, 0, len(all))
	for _, v := range all {
		if !gone(v) {
			kept = append(kept, v)
		}
	}
	return kept
}
