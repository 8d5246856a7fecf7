package device

import (
	"image"
	"testing"
)

func TestChoose(t *testing.T) {
	m := func(format string, w, h int, fps float64) mode {
		return mode{v4l2Format(format[0]) | v4l2Format(format[1])<<8 | v4l2Format(format[2])<<16 | v4l2Format(format[3])<<24, w, h, fps}
	}
	want := VideoConfig{}.orDefaults()
	for _, c := range []struct {
		name  string
		modes []mode
		want  mode // zero: none
	}{
		{"a camera on USB 3: raw", []mode{m("MJPG", 1280, 720, 30), m("YUYV", 1280, 720, 30), m("YUYV", 1920, 1080, 30)}, m("YUYV", 1280, 720, 30)},
		{"a camera on USB 2: raw 720p is too slow", []mode{m("YUYV", 1280, 720, 10), m("YUYV", 640, 480, 30), m("MJPG", 1280, 720, 30)}, m("MJPG", 1280, 720, 30)},
		{"24 a second are smooth enough to spare MJPEG", []mode{m("YUYV", 1280, 720, 24), m("MJPG", 1280, 720, 30)}, m("YUYV", 1280, 720, 24)},
		{"vivid: no 720p at full rate", []mode{m("YUYV", 640, 360, 40), m("YUYV", 1280, 720, 12.5), m("NV12", 1280, 720, 12.5)}, m("NV12", 1280, 720, 12.5)},
		{"an HDMI grabber that says no rate", []mode{m("YUYV", 1920, 1080, 0), m("YUYV", 1280, 720, 0)}, m("YUYV", 1280, 720, 0)},
		{"only small ones: the largest", []mode{m("YUYV", 320, 240, 30), m("YUYV", 640, 480, 30), m("YUYV", 640, 360, 30)}, m("YUYV", 640, 480, 30)},
		{"only large ones: the smallest", []mode{m("MJPG", 3840, 2160, 30), m("MJPG", 1920, 1080, 30)}, m("MJPG", 1920, 1080, 30)},
		{"H.264 and grey alone", []mode{m("H264", 1280, 720, 30), m("GREY", 1280, 720, 30)}, mode{}},
		{"nothing", nil, mode{}},
	} {
		got, ok := choose(c.modes, want)
		if got != c.want || ok != (c.want != mode{}) {
			t.Errorf("%s: chose %v, want %v", c.name, got, c.want)
		}
	}
}

func TestCopyI420(t *testing.T) {
	for _, c := range []struct {
		name  string
		ratio image.YCbCrSubsampleRatio
		size  image.Point
		ok    bool
	}{
		{"4:2:0", image.YCbCrSubsampleRatio420, image.Pt(32, 16), true},
		{"4:2:2, what YUYV gives", image.YCbCrSubsampleRatio422, image.Pt(32, 16), true},
		{"4:4:0", image.YCbCrSubsampleRatio440, image.Pt(32, 16), true},
		{"4:4:4", image.YCbCrSubsampleRatio444, image.Pt(32, 16), true},
		{"odd sides: cut to even", image.YCbCrSubsampleRatio422, image.Pt(33, 17), true},
		{"4:1:1 is not given by cameras", image.YCbCrSubsampleRatio411, image.Pt(32, 16), false},
	} {
		src := image.NewYCbCr(image.Rectangle{Max: c.size}, c.ratio)
		for y := range c.size.Y {
			for x := range c.size.X {
				src.Y[src.YOffset(x, y)] = byte(x + 8*y)
				src.Cb[src.COffset(x, y)], src.Cr[src.COffset(x, y)] = byte(4*(x/2)), byte(8*(y/2))
			}
		}
		dst := image.NewYCbCr(image.Rect(0, 0, 32, 16), image.YCbCrSubsampleRatio420)
		if ok := copyI420(dst, src); ok != c.ok {
			t.Errorf("%s: copied %v, want %v", c.name, ok, c.ok)
		}
		for y := 0; c.ok && y < 16; y++ {
			for x := range 32 {
				got := dst.YCbCrAt(x, y)
				if got.Y != byte(x+8*y) || got.Cb != byte(4*(x/2)) || got.Cr != byte(8*(y/2)) {
					t.Fatalf("%s: pixel %d,%d is %v", c.name, x, y, got)
				}
			}
		}
	}
	grey := image.NewGray(image.Rect(0, 0, 32, 16))
	grey.Pix[0] = 99
	dst := image.NewYCbCr(image.Rect(0, 0, 32, 16), image.YCbCrSubsampleRatio420)
	if !copyI420(dst, grey) || dst.Y[0] != 99 || dst.Cb[0] != 128 || dst.Cr[0] != 128 {
		t.Error("a grey picture came out coloured")
	}
	if copyI420(dst, image.NewRGBA(image.Rect(0, 0, 32, 16))) {
		t.Error("RGB is nothing a camera gives through mediadevices")
	}
}
