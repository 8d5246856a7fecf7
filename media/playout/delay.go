package playout

import "time"

const (
	memory   = 100                  // packets whose smallest delay counts as none: two seconds of voice
	binWidth = 5 * time.Millisecond // of the histogram
	bins     = 41                   // up to 200 ms; the last holds all above
	fade     = 0.997                // of the histogram's memory by each packet: half of it is five seconds old
	within   = 0.98                 // of the packets shall have come when they are due; concealment and FEC see to the others

	// Before anything is known, a delay that a fair cellular uplink needs is believed as if some packets had shown it: it
	// takes about ten seconds of better ones to come below.
	guess       = 60 * time.Millisecond
	guessWeight = 10
)

// delays keeps how late packets come.
type delays struct {
	passed [memory]time.Duration // arrival minus timestamp, of the last packets
	n      int                   // of passed in use
	at     int                   // where the next goes
	share  [bins]float64         // of the packets that came so late; sums to 1
	seen   int                   // packets in share, as far as its memory goes
}

func newDelays() delays {
	d := delays{seen: guessWeight}
	d.share[guess/binWidth-1] = 1
	return d
}

// add notes a packet whose arrival minus timestamp was passed.
func (d *delays) add(passed time.Duration) {
	d.passed[d.at] = passed
	d.at = (d.at + 1) % memory
	d.n = min(d.n+1, memory)
	// At first all packets count alike: with a memory that fades from the start the first ones would be the rule.
	d.seen++
	keep := min(fade, 1-1/float64(d.seen))
	late := min(int((passed-d.least())/binWidth), bins-1)
	for i := range d.share {
		d.share[i] *= keep
	}
	d.share[late] += 1 - keep
}

// least is the smallest of the last delays: that of the way itself.
func (d *delays) least() time.Duration {
	low := d.passed[0]
	for _, p := range d.passed[1:d.n] {
		low = min(low, p)
	}
	return low
}

// forget begins anew with the way's own delay, but keeps how much it varies: another voice comes over the same uplinks.
func (d *delays) forget() { d.n, d.at = 0, 0 }

// most is the delay within which nearly all packets come.
func (d *delays) most() time.Duration {
	sum := 0.0
	for i, s := range d.share {
		if sum += s; sum >= within {
			return time.Duration(i+1) * binWidth
		}
	}
	return bins * binWidth
}
