package device

import (
	"image"
	"time"
)

// Bounds and defaults of what a source produces. The defaults are the demo's and the sample configuration's.
const (
	defaultWidth        = 1280
	defaultHeight       = 720
	defaultFPS          = 30
	defaultVideoBitrate = 2_000_000 // bit/s: 720p30 of a room with openh264 looks clean from about 1.5 Mbit/s on
	minVideoBitrate     = 100_000   // bit/s: below this openh264 drops more pictures than it sends
	maxVideoBitrate     = 8_000_000

	// defaultVoiceBitrate in bit/s is the least at which libopus keeps the full band of speech while it arms against 10 % loss. The rate
	// varies with what is said: 71 bytes a packet at most over a while (TestVoiceIsThrifty). Each kbit/s is 0.45 MB an hour on each link.
	defaultVoiceBitrate = 30_000
	minVoiceBitrate     = 12_000 // bit/s: below this Opus leaves in-band FEC out
	maxVoiceBitrate     = 128_000
)

// StaleAfter is how old the camera's last picture may be before a slate takes its place.
const StaleAfter = 500 * time.Millisecond

// ReadTimeout is how long a camera may take to deliver a picture before it is closed and opened again.
const ReadTimeout = time.Second

// VideoConfig says what a video source should produce. Zero fields take the defaults: 1280x720, 30 pictures a second,
// 2 Mbit/s. A camera that cannot do it gives the nearest it can.
type VideoConfig struct {
	Width, Height int // pixels
	FPS           int // pictures a second
	Bitrate       int // bit/s; SetRate changes it
}

func (c VideoConfig) orDefaults() VideoConfig {
	c.Width, c.Height = even(orDefault(c.Width, defaultWidth)), even(orDefault(c.Height, defaultHeight))
	c.FPS = orDefault(c.FPS, defaultFPS)
	c.Bitrate = orDefault(c.Bitrate, defaultVideoBitrate)
	return c
}

func (c VideoConfig) size() image.Point { return image.Pt(c.Width, c.Height) }

func orDefault(n, standard int) int {
	if n <= 0 {
		return standard
	}
	return n
}

// minSide is the smallest side of a picture that openh264 takes, in pixels.
const minSide = 16

// even rounds down to a size that 4:2:0 and openh264 can hold.
func even(n int) int { return max(n&^1, minSide) }
