package device

import (
	"cmp"
	"slices"

	"github.com/pion/mediadevices/pkg/frame"
)

// pixelFormat is a pixel format that mediadevices' camera driver can decode, best first: the raw ones cost a copy, MJPEG
// costs 10 ms a picture at 720p, as much as three encodings.
type pixelFormat struct {
	code   v4l2Format
	format frame.Format
}

// pixelFormats is a table.
var pixelFormats = []pixelFormat{
	{fourCC('Y', 'U', '1', '2'), frame.FormatI420},
	{fourCC('N', 'V', '1', '2'), frame.FormatNV12},
	{fourCC('N', 'V', '2', '1'), frame.FormatNV21},
	{fourCC('Y', 'U', 'Y', 'V'), frame.FormatYUYV},
	{fourCC('U', 'Y', 'V', 'Y'), frame.FormatUYVY},
	{fourCC('M', 'J', 'P', 'G'), frame.FormatMJPEG},
}

func fourCC(a, b, c, d byte) v4l2Format {
	return v4l2Format(a) | v4l2Format(b)<<8 | v4l2Format(c)<<16 | v4l2Format(d)<<24
}

// formatRank is the format's place in pixelFormats, -1 if it cannot be used.
func formatRank(f v4l2Format) int {
	return slices.IndexFunc(pixelFormats, func(p pixelFormat) bool { return p.code == f })
}

// enoughFPS is the share of the wanted frame rate below which a smoother format is worth MJPEG's cost: USB 2 cameras
// give raw 720p at 10 a second and MJPEG at 30.
const enoughFPS = 0.8

// choose picks the mode nearest to what is wanted: first the size (the wanted one, else the largest below it, else the
// smallest above), then a frame rate that is high enough, then the cheapest format. false: none can be used.
func choose(modes []mode, want VideoConfig) (mode, bool) {
	usable := slices.DeleteFunc(slices.Clone(modes), func(m mode) bool { return formatRank(m.format) < 0 })
	if len(usable) == 0 {
		return mode{}, false
	}
	return slices.MinFunc(usable, func(a, b mode) int {
		return cmp.Or(
			cmp.Compare(sizeCost(a, want), sizeCost(b, want)),
			cmp.Compare(fpsCost(a, want), fpsCost(b, want)),
			cmp.Compare(formatRank(a.format), formatRank(b.format)),
			cmp.Compare(b.fps, a.fps),
		)
	}), true
}

// sizeCost is 0 for the wanted size, less than 1 the nearer a smaller one is, more than 1 for larger ones.
func sizeCost(m mode, want VideoConfig) float64 {
	have, wanted := float64(m.width*m.height), float64(want.Width*want.Height)
	switch {
	case m.width == want.Width && m.height == want.Height:
		return 0
	case m.width <= want.Width && m.height <= want.Height:
		return 1 - have/(wanted+1)
	default:
		return 1 + have/wanted
	}
}

// fpsCost is 0 for a rate that is high enough or unknown, else what is missing of it.
func fpsCost(m mode, want VideoConfig) float64 {
	wanted := enoughFPS * float64(want.FPS)
	if m.fps == 0 || m.fps >= wanted {
		return 0
	}
	return wanted - m.fps
}
