package content

import "time"

// Rule is how long a thing must be seen before it is ruled, and how long its opposite before that is taken back.
type Rule struct{ Come, Go time.Duration }

// Policy is every threshold. [DefaultPolicy] gives the reasons. Brightness is in levels of 8 bit luma, levels of sound in
// decibels below full scale (a full square wave is 0), shares from 0 to 1.
type Policy struct {
	Every time.Duration // time between two looks at pictures
	Gap   time.Duration // material further apart than this is no evidence together

	Frozen                     Rule
	NoisyShare, NoiselessShare float64 // of cells that change in a camera's picture, and in one that no sensor took

	Black                   Rule
	DarkBright, DarkMean    float64 // the brightest (98 %) and the mean of a black picture are at most these
	LightBright, LightMean  float64 // it is black no more when one of them is above these
	Covered                 Rule
	FlatRange, FlatStep     float64 // range (2 to 98 %) and steepest step (99 %) of a picture of one tone are at most these
	Blurred                 Rule
	Smooth                  float64 // sharpness below this has no edges, whatever the scene
	SmoothOfUsual, SmoothAt float64 // so has one below this share of the scene's own past, if it is also below the other
	Alike                   float64 // correlation with the room's layout from which a smooth picture is a blurred one
	Regain                  float64 // how much more than a threshold is needed to be well again

	Backward   Rule
	StampSlack time.Duration // a device's stamp further from its arrival is not believed

	Constant  Rule
	OneValue  int // samples that differ by no more are one value
	Clipping  Rule
	Full      int     // a sample of this size is at the end of the scale
	ClipCome  float64 // share of such samples that is heard as distortion
	ClipGo    float64
	Hum       Rule
	HumCome   float64 // share of all power at multiples of the mains
	HumGo     float64
	HumLevel  float64 // dBFS: below this it disturbs nobody
	Quiet     Rule
	QuietCome float64 // dBFS: no tenth of a second was louder
	QuietGo   float64
}

// DefaultPolicy is the one that is used. Where it says "drawn", the number was set between what the drawn rooms of lab/roomscene
// give when all is well and when it is not; `make content` prints both, and counts false alarms over hours.
func DefaultPolicy() Policy {
	return Policy{
		Every: 100 * time.Millisecond, // a fault must last ten looks or more; a look costs less than a millisecond
		Gap:   1500 * time.Millisecond,

		// A hung camera or driver hands the same bytes out again. A sensor's noise changes every picture, so a second of equal
		// ones is proof; a camera that halves its rate in the dark sends each twice, at most a few times. Three new ones show it lives.
		Frozen: Rule{time.Second, 250 * time.Millisecond},
		// The camera's own word on the time may go on over a dead picture: it fills 1 to 2 % of the cells, with noise nearly all change.
		// Only a camera that was noisy is held to it: a drawn pattern, or vivid's, never is.
		NoisyShare: 0.3, NoiselessShare: 0.02,

		// Black is 16 (ITU-R BT.601) or 0 (JPEG); a covered sensor at full gain adds up to some 10 in the mean of a cell. A room
		// lit by one screen has its bright parts at 50 and more (drawn).
		Black:      Rule{time.Second, 500 * time.Millisecond},
		DarkBright: 36, DarkMean: 28, LightBright: 42, LightMean: 33,
		// A person who walks past close to the lens covers it for less than a second.
		Covered:   Rule{1500 * time.Millisecond, 500 * time.Millisecond},
		FlatRange: 24, FlatStep: 6,
		// An autofocus that hunts is done in about a second, and passes through sharpness on its way.
		Blurred: Rule{1700 * time.Millisecond, 500 * time.Millisecond},
		// A step blurred over n cells (of 8 pixels at 1280 wide) is 1/n of its height a cell: at 0.1 a face in the middle of the room
		// is one blot, at 0.2 it cannot be told whose; 0.5 and more is usual (drawn).
		Smooth: 0.10, SmoothOfUsual: 0.35, SmoothAt: 0.20, Alike: 0.5, Regain: 1.3,

		Backward:   Rule{500 * time.Millisecond, 2 * time.Second},
		StampSlack: time.Second,

		// The least noise of a 16 bit converter is 3 to 4 values wide over a second. Within 2 s (G17), and longer than the
		// hold time of a speakerphone's noise gate between two words.
		Constant: Rule{1200 * time.Millisecond, 100 * time.Millisecond},
		OneValue: 2,
		// Distortion is plain from about 1 % of clipped samples on; a slammed door clips fewer than that in a second.
		Clipping: Rule{time.Second, 3 * time.Second},
		Full:     32700, ClipCome: 0.01, ClipGo: 0.001,
		// Three windows of half a second in a row: no vowel lasts so long on one pitch.
		Hum:     Rule{time.Second, 3 * time.Second},
		HumCome: 0.7, HumGo: 0.5, HumLevel: -50,
		// Speech at 1 m is 60 dBA and is set to about -25 dBFS; a room of 30 dBA (what WHO's guidelines for hospital wards ask at night) is
		// then at -55. 15 dB below that is no room but a converter without a microphone.
		Quiet:     Rule{30 * time.Second, 200 * time.Millisecond},
		QuietCome: -70, QuietGo: -67,
	}
}
