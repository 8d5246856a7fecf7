package device

import "time"

// mostOwed is how much a stream may run ahead of its rate. A 720p key frame of a busy room is half a second's worth; what
// waits longer than a second on a thin uplink is of no use.
const mostOwed = time.Second

// debt holds a video stream to its rate where the encoder cannot. openh264 could drop pictures itself, but does so after
// every key frame, every other picture for up to a second, which can be seen; left to itself it overshoots for moments
// and pays back in quality. Only with more noise than the rate can hold does it stay above, and then pictures are left
// out here. The zero value owes nothing.
type debt struct {
	bits float64
	at   time.Time
}

// tooDeep pays back what the time since the last call allows at bps, and says whether more than mostOwed is left.
func (d *debt) tooDeep(now time.Time, bps int) bool {
	d.bits = max(0, d.bits-now.Sub(d.at).Seconds()*float64(bps))
	d.at = now
	return d.bits > mostOwed.Seconds()*float64(bps)
}

// spend adds what was sent.
func (d *debt) spend(bytes int) { d.bits += 8 * float64(bytes) }
