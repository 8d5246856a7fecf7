package emu

import (
	"io"
	"sync"
	"time"
)

// Line is a Pipe that runs: one goroutine delivers what is due. All methods may be called from any goroutine.
type Line struct {
	mu     sync.Mutex
	pipe   *Pipe
	timer  time.Time // what the goroutine sleeps until; zero when it sleeps until woken
	wake   chan struct{}
	done   chan struct{}
	closed bool
	gone   sync.WaitGroup
}

// NewLine starts the goroutine; Close ends it and waits.
func NewLine(shape Shape, seed uint64) *Line {
	l := &Line{pipe: NewPipe(shape, seed), wake: make(chan struct{}, 1), done: make(chan struct{})}
	l.gone.Go(l.run)
	return l
}

// Reshape changes the line at once; see Pipe.Reshape.
func (l *Line) Reshape(s Shape) {
	l.mu.Lock()
	l.pipe.Reshape(s)
	l.mu.Unlock()
	l.nudge() // what stood still may be due now
}

// Shape is the present one.
func (l *Line) Shape() Shape {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pipe.Shape()
}

// Counters is a consistent reading.
func (l *Line) Counters() Counters {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pipe.Counters()
}

// Close drops what is inside, ends the goroutine and waits for it. Packets sent afterwards vanish. Closing twice is fine.
func (l *Line) Close() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.done)
	}
	l.mu.Unlock()
	l.gone.Wait()
}

// Send takes a datagram over and writes it to `to` when it has crossed the line, if it does. It never blocks; `to` must not
// either, for it is the line's goroutine that writes.
func (l *Line) Send(data []byte, to io.Writer) { l.send(Packet{Data: data, out: writer{to}}) }

type writer struct{ w io.Writer }

// deliver ignores errors: a write that fails is a packet lost.
func (w writer) deliver(pkt Packet) { _, _ = w.w.Write(pkt.Data) }

// send never blocks. It reports whether the packet is on its way; a datagram's sender would not know.
func (l *Line) send(pkt Packet) bool {
	l.mu.Lock()
	ok := !l.closed && l.pipe.Push(time.Now(), pkt)
	due, moving := l.pipe.Due()
	sooner := ok && moving && (l.timer.IsZero() || due.Before(l.timer))
	if sooner {
		l.timer = due // one nudge is enough
	}
	l.mu.Unlock()
	if sooner {
		l.nudge()
	}
	return ok
}

func (l *Line) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *Line) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var batch []Packet
	for {
		batch = l.due(batch[:0])
		for i, pkt := range batch {
			pkt.out.deliver(pkt)
			batch[i] = Packet{}
		}
		if wait, sleeping := l.sleep(); !sleeping {
			continue
		} else if wait > 0 {
			timer.Reset(wait)
		} else {
			timer.Stop()
		}
		select {
		case <-l.done:
			return
		case <-l.wake:
		case <-timer.C:
		}
	}
}

// due takes everything deliverable now, so that delivering happens without the lock.
func (l *Line) due(batch []Packet) []Packet {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for {
		pkt, ok := l.pipe.Pop(now)
		if !ok {
			return batch
		}
		batch = append(batch, pkt)
	}
}

// sleep says how long: 0 means until woken. It is false when something has become due meanwhile.
func (l *Line) sleep() (time.Duration, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, true
	}
	due, moving := l.pipe.Due()
	if !moving {
		l.timer = time.Time{}
		return 0, true
	}
	l.timer = due
	wait := time.Until(due)
	return wait, wait > 0
}
