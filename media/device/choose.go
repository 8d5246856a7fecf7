package device

import (
	"cmp"
	"slices"
)

// The pixel formats that can be decoded here.
const (
	formatI420  v4l2Format = 'Y' | 'U'<<8 | '1'<<16 | '2'<<24
	formatNV12  v4l2Format = 'N' | 'V'<<8 | '1'<<16 | '2'<<24
	formatNV21  v4l2Format = 'N' | 'V'<<8 | '2'<<16 | '1'<<24
	formatYUYV  v4l2Format = 'Y' | 'U'<<8 | 'Y'<<16 | 'V'<<24
	formatUYVY  v4l2Format = 'U' | 'Y'<<8 | 'V'<<16 | 'Y'<<24
	formatMJPEG v4l2Format = 'M' | 'J'<<8 | 'P'<<16 | 'G'<<24
)

// pixelFormats is a table, best first: the raw ones cost a copy, MJPEG several (make micro, BenchmarkDecode), and it has lost
// detail already.
var pixelFormats = []v4l2Format{formatI420, formatNV12, formatNV21, formatYUYV, formatUYVY, formatMJPEG}

// formatRank is the format's place in pixelFormats, -1 if it cannot be used.
func formatRank(f v4l2Format) int { return slices.Index(pixelFormats, f) }

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
