package bandwidth

import "time"

// How a limit is found, kept and lost.
const (
	span      = 150 * time.Millisecond // the shortest time that a rate is measured over: three probes
	tooFar    = 2 * time.Second        // words further apart say nothing about each other
	headroom  = 0.9                    // of what comes out of a queue: the rest lets the queue drain
	growth    = 0.08                   // a second, while the limit is used (draft-ietf-rmcat-gcc-02 5.5)
	nearby    = 0.01                   // a second, within a tenth of where the limit was last met
	usedShare = 0.75                   // of the limit: who sends less has not tried it
	mostKnown = 1.5                    // times what was acknowledged; beyond it nothing is known
	leastSent = 64_000                 // bit/s: with less on it, a link's queue is somebody else's

	queueLeast = 40 * time.Millisecond // a key frame's own queue on a good link
	noiseTimes = 3                     // times the noise of the way, above queueLeast
	noiseMost  = 100 * time.Millisecond
	noiseFirst = 30 * time.Millisecond // of a link that nothing is known about yet
	growthMin  = 2 * time.Millisecond  // a word's way is longer by this: the queue grows
	growthBig  = 50 * time.Millisecond // two words in a row longer by this say it sooner

	notOurs   = 3 * time.Second // a queue that does not shrink for so long although we hold back is not ours
	shrinks   = 0.8             // of what it was: it shrinks
	lossOurs  = 0.1             // loss above the link's usual that may be ours
	lossFor   = 1500 * time.Millisecond
	lossQueue = 0.05 // loss that a long queue explains

	forgetFirst = 30 * time.Second
	forgetMost  = 5 * time.Minute
)

// Word is what one answered probe says of the link that brought it.
type Word struct {
	At      time.Duration // when the probe left, on our clock
	Way     time.Duration // from us to the far end. The clocks may differ by any constant
	Left    Count         // what had left on the link when the probe did
	Arrived uint64        // packets that had arrived when the probe did
}

// Count is a sum since the link came up.
type Count struct{ Packets, Bytes uint64 }

// Estimate is what is known of a link now.
type Estimate struct {
	Rate  int           // bit/s that it carries; 0: it has shown no limit
	Queue time.Duration // how long packets wait because of what we send
}

// Estimator estimates one link. The zero value is ready, for a link that has just come up; a link that comes up again needs a
// new one. It belongs to one goroutine.
type Estimator struct {
	words history
	base  baseline
	noise time.Duration // mean change of the way from word to word, while no queue is ours

	limit  float64       // bit/s; 0: none was shown
	met    float64       // bit/s that came out of the queue when the limit was last met
	tried  time.Duration // when the limit was last used or found
	forget time.Duration // how long it is kept untried
	forgot time.Duration // when one was last forgotten

	queued  bool
	since   time.Duration // of queued
	atSince time.Duration // the queue then; renewed while it shrinks

	loss     float64       // smoothed over a second
	usual    float64       // of it: what is not ours
	lossy    time.Duration // since when it is more than that; 0: it is not
	lossTry  time.Duration // when we held back because of loss; 0: we do not
	lossThen float64
}

// Take takes one word in and says what is known now. Words out of order say nothing.
func (e *Estimator) Take(w Word) Estimate {
	last, ok := e.words.last()
	switch {
	case ok && (w.Arrived < last.Arrived || w.Left.Packets < last.Left.Packets) && w.At > last.At:
		*e = Estimator{limit: e.limit, tried: w.At, forget: e.forget} // the far end counts anew
	case ok && w.At <= last.At:
		return e.now()
	}
	if !ok && e.noise == 0 {
		e.noise = noiseFirst
	}
	e.words.add(w)
	e.base.take(w)
	m, ok := e.words.measure(span)
	if !ok {
		return e.now()
	}
	e.measureNoise(w, last)
	e.smoothLoss(w.At.Seconds()-last.At.Seconds(), m)
	e.queue(w)
	switch {
	case e.queued:
		e.behindQueue(w, m)
	case m.sent >= leastSent:
		e.byLoss(w, m)
	}
	if !e.queued {
		e.grow(w.At, w.At-last.At, m)
	}
	return e.now()
}

// Stalled says that this machine itself was late at that moment. What was measured until then is void, for a packet that waited for
// us waited in no queue; a limit that is known stays, until it is forgotten.
func (e *Estimator) Stalled(at time.Duration) Estimate {
	e.words, e.queued, e.lossy, e.lossTry = history{}, false, 0, 0
	e.grow(at, 0, measure{})
	return e.now()
}

func (e *Estimator) now() Estimate {
	out := Estimate{Rate: int(e.limit)}
	if e.queued {
		out.Queue = e.length()
	}
	return out
}

// length is how long a packet waits: while the way grows from word to word by the newest, else at the least of some, for a
// single long way is jitter.
func (e *Estimator) length() time.Duration {
	way := e.words.lowest()
	if now, _ := e.words.last(); e.words.growing() {
		way = now.Way
	}
	return max(0, way-e.base.least())
}

// threshold is what the way must be longer by to be called a queue.
func (e *Estimator) threshold() time.Duration { return queueLeast + noiseTimes*e.noise }

func (e *Estimator) measureNoise(w, last Word) {
	if change := (w.Way - last.Way).Abs(); !e.queued && !e.words.growing() {
		e.noise += (min(change, noiseMost) - e.noise) / 16
	}
}

// smoothLoss averages over about a second.
func (e *Estimator) smoothLoss(passed float64, m measure) {
	if m.packets > 0 {
		e.loss += (m.loss - e.loss) * min(passed, 1)
	}
	e.usual = max(0, min(e.usual, e.loss))
}

// queue says whether there is one. It ends at half of what begins it.
func (e *Estimator) queue(w Word) {
	length, most := e.length(), e.threshold()
	if e.queued {
		most /= 2
	}
	if is := length > most; is != e.queued {
		e.queued, e.since, e.atSince = is, w.At, length
	}
}

// behindQueue learns the limit from what comes out of the queue, if it is ours.
func (e *Estimator) behindQueue(w Word, m measure) {
	length := e.length()
	ours := m.sent >= leastSent && (e.words.growing() || e.loss > e.usual+lossQueue && m.acked < m.sent ||
		e.limit > 0 && m.sent > headroom*e.limit) // one that begins where a limit was is the limit's
	switch {
	case ours && m.acked < m.sent:
		e.found(w.At, min(m.acked*headroom, orMost(e.limit)))
		e.met = m.acked
	case e.limit > 0 && m.acked > m.sent && m.sent > 0:
		// What comes out while the queue drains is the link's own rate, be it more or less than we thought.
		e.limit += (m.acked*headroom - e.limit) / 8
		e.tried = w.At
	}
	switch {
	case ours && m.sent > e.limit, float64(length) < shrinks*float64(e.atSince):
		e.since, e.atSince = w.At, length // we have not held back yet, or it helps
	case length > e.atSince && m.acked < m.sent:
		e.atSince = length
	case w.At-e.since >= notOurs:
		e.base.restart(w)
		e.queued, e.limit = false, 0
	}
}

func orMost(limit float64) float64 {
	if limit == 0 {
		return 1e12
	}
	return limit
}

// found notes a limit that was met.
func (e *Estimator) found(at time.Duration, limit float64) {
	switch {
	case e.forget == 0:
		e.forget = forgetFirst
	case e.limit == 0 && at-e.forgot < e.forget:
		e.forget = min(2*e.forget, forgetMost)
	case e.limit == 0:
		e.forget = forgetFirst
	}
	e.limit, e.tried = limit, at
}

// byLoss tries whether loss without a queue goes when we send less.
func (e *Estimator) byLoss(w Word, m measure) {
	switch {
	case e.lossTry > 0 && w.At-e.lossTry < notOurs:
	case e.lossTry > 0:
		if e.lossTry = 0; e.loss-e.usual > (e.lossThen-e.usual)/2 {
			e.usual, e.limit = e.loss, 0 // it did not
		}
	case e.loss <= e.usual+lossOurs:
		e.lossy = 0
	case e.lossy == 0:
		e.lossy = w.At
	case w.At-e.lossy >= lossFor:
		e.lossy, e.lossTry, e.lossThen = 0, w.At, e.loss
		e.found(w.At, min(m.sent*(1-e.loss)*headroom, orMost(e.limit)))
	}
}

// grow raises a limit that is used, and forgets one that was not tried for long.
func (e *Estimator) grow(at, passed time.Duration, m measure) {
	switch {
	case e.limit == 0:
	case m.acked >= usedShare*e.limit:
		e.tried = at
		if e.loss <= e.usual+lossQueue {
			pace := growth
			if e.limit > headroom*e.met && e.limit < (2-headroom)*e.met {
				pace = nearby
			}
			e.limit = max(e.limit, min(e.limit*(1+pace*passed.Seconds()), m.acked*mostKnown))
		}
	case at-e.tried >= e.forget:
		e.limit, e.forgot = 0, at
	}
}
