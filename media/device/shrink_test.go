package device

import (
	"image"
	"testing"
)

// Half the sides is the mean of four; a slope stays a slope, in any size, to the edges.
func TestShrink(t *testing.T) {
	src := image.NewYCbCr(image.Rect(0, 0, 1280, 720), image.YCbCrSubsampleRatio420)
	for y := range 720 {
		for x := range 1280 {
			src.Y[y*src.YStride+x] = byte(x/8 + y/16)
		}
	}
	for i := range src.Cb {
		src.Cb[i], src.Cr[i] = byte(i%640/4), 77
	}
	var s shrinker
	for _, size := range []image.Point{{640, 360}, {960, 540}, {426, 240}, {640, 360}} {
		got := s.to(size, src)
		if got.Rect.Size() != size {
			t.Fatalf("%v, want %v", got.Rect.Size(), size)
		}
		for y := range size.Y {
			for x := range size.X {
				want := (2*x+1)*640/size.X/8 + (2*y+1)*360/size.Y/16
				if d := int(got.Y[y*got.YStride+x]) - want; d < -1 || d > 1 {
					t.Fatalf("%v: luma at %d,%d is %d, want %d", size, x, y, got.Y[y*got.YStride+x], want)
				}
			}
		}
		for x := range size.X / 2 {
			if d := int(got.Cb[x]) - (2*x+1)*640/size.X/4; d < -1 || d > 1 || got.Cr[x] != 77 {
				t.Fatalf("%v: colour at %d is %d and %d", size, x, got.Cb[x], got.Cr[x])
			}
		}
	}
	src.Y[0], src.Y[1], src.Y[src.YStride], src.Y[src.YStride+1] = 10, 20, 30, 41
	if got := s.to(image.Pt(640, 360), src); got.Y[0] != 25 {
		t.Errorf("four samples of 10, 20, 30, 41 make %d, want 25", got.Y[0])
	}
}

func BenchmarkShrink(b *testing.B) {
	src := image.NewYCbCr(image.Rect(0, 0, 1280, 720), image.YCbCrSubsampleRatio420)
	for name, size := range map[string]image.Point{"720p to 540": {960, 540}, "720p to 360": {640, 360}} {
		b.Run(name, func(b *testing.B) {
			var s shrinker
			for b.Loop() {
				s.to(size, src)
			}
		})
	}
}
