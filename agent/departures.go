package agent

import (
	"sync"
	"time"

	"github.com/pion/rtp"

	"scanside/media"
)

// departuresKept is how many packets' times are remembered: 6 s of a 2.5 Mbit/s picture, longer than any probe is waited for.
const departuresKept = 2048

// departures passes a leg's packets on and remembers when they left, so that the far end's count can be compared with what
// had left at the moment that it speaks of, and not with what is still under way. Any goroutine may call by.
type departures struct {
	to      media.Sink
	refused func() // told of each packet that was refused; nil: nobody

	mu    sync.Mutex
	n     uint64
	times [departuresKept]int64 // unix nanoseconds of packet n-1, n-2, …
}

// WriteRTP passes a packet on.
func (d *departures) WriteRTP(p *rtp.Packet) error {
	d.mu.Lock()
	d.times[d.n%departuresKept] = time.Now().UnixNano()
	d.n++
	d.mu.Unlock()
	err := d.to.WriteRTP(p)
	if err != nil && d.refused != nil {
		d.refused()
	}
	return err
}

// by is how many packets had left by a moment.
func (d *departures) by(t time.Time) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, at := d.n, t.UnixNano()
	for n > 0 && d.n-n < departuresKept && d.times[(n-1)%departuresKept] > at {
		n--
	}
	return n
}
