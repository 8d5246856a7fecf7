package agent

import (
	"sync"
	"time"

	"github.com/pion/rtp"

	"scanside/bandwidth"
	"scanside/link"
	"scanside/media"
)

// departuresKept is how many packets' times are remembered: 6 s of a 2.5 Mbit/s picture, longer than any probe is waited for.
const departuresKept = 2048

// departures passes a leg's packets on and remembers when they left, so that the far end's count can be compared with what
// had left at the moment that it speaks of, and not with what is still under way. Any goroutine may call by and count.
type departures struct {
	to      media.Sink
	refused func() // told of each packet that was refused; nil: nobody

	mu    sync.Mutex
	n     uint64
	bytes uint64
	left  [departuresKept]departure // packet n-1, n-2, …
}

type departure struct {
	at    int64  // unix nanoseconds
	bytes uint64 // of all packets before it, with their headers
}

// WriteRTP passes a packet on.
func (d *departures) WriteRTP(p *rtp.Packet) error {
	d.mu.Lock()
	d.left[d.n%departuresKept] = departure{time.Now().UnixNano(), d.bytes}
	d.n++
	d.bytes += uint64(len(p.Payload)) + link.Headers
	d.mu.Unlock()
	err := d.to.WriteRTP(p)
	if err != nil && d.refused != nil {
		d.refused()
	}
	return err
}

// by is how many packets had left by a moment.
func (d *departures) by(t time.Time) uint64 { return d.count(t).Packets }

// count is what had left by a moment.
func (d *departures) count(t time.Time) bandwidth.Count {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, at := bandwidth.Count{Packets: d.n, Bytes: d.bytes}, t.UnixNano()
	for c.Packets > 0 && d.n-c.Packets < departuresKept {
		last := &d.left[(c.Packets-1)%departuresKept]
		if last.at <= at {
			break
		}
		c = bandwidth.Count{Packets: c.Packets - 1, Bytes: last.bytes}
	}
	return c
}
