package device

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"scanside/media"
)

// noisy is the test picture with a little of a sensor's noise: real pictures do not compress better.
func noisy(w, h int) *image.YCbCr {
	img := media.NewPattern(w, h, 30).Draw(7, time.Unix(0, 0))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range img.Y {
		img.Y[i] = byte(min(max(int(img.Y[i])+r.IntN(7)-3, 0), 255))
	}
	return img
}

func motionJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 85}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// rawFrame is img as a camera would send it in each raw format, with lines of stride bytes.
func rawFrame(format v4l2Format, img *image.YCbCr, stride int) []byte {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	var b []byte
	line := func(n int, at func(i int) byte, stride int) {
		for i := range stride {
			if i < n {
				b = append(b, at(i))
			} else {
				b = append(b, 0xee)
			}
		}
	}
	for y := range h {
		luma, c := img.Y[y*img.YStride:], y/2*img.CStride
		switch format {
		case formatYUYV, formatUYVY:
			line(2*w, func(i int) byte {
				if i%2 == map[v4l2Format]int{formatYUYV: 0, formatUYVY: 1}[format] {
					return luma[i/2]
				}
				return [][]byte{img.Cb, img.Cr}[i/2%2][c+i/4]
			}, stride)
		default:
			line(w, func(i int) byte { return luma[i] }, stride)
		}
	}
	pairs := map[v4l2Format][2][]byte{formatNV12: {img.Cb, img.Cr}, formatNV21: {img.Cr, img.Cb}}
	if p, ok := pairs[format]; ok {
		for y := range h / 2 {
			line(w, func(i int) byte { return p[i%2][y*img.CStride+i/2] }, stride)
		}
	}
	if format == formatI420 {
		for _, plane := range [][]byte{img.Cb, img.Cr} {
			for y := range h / 2 {
				line(w/2, func(i int) byte { return plane[y*img.CStride+i] }, stride/2)
			}
		}
	}
	return b
}

// Every raw format gives the picture that went in, with lines that are longer than the picture, too; a short one is refused.
func TestDecodeRaw(t *testing.T) {
	img := noisy(320, 180)
	for _, f := range pixelFormats[:5] {
		for _, longer := range []int{0, 64} {
			stride := 320 + longer
			if f == formatYUYV || f == formatUYVY {
				stride = 640 + longer
			}
			d, err := newDecoder(mode{format: f, width: 320, height: 180}, stride)
			if err != nil {
				t.Fatal(err)
			}
			frame, dst := rawFrame(f, img, stride), image.NewYCbCr(img.Rect, image.YCbCrSubsampleRatio420)
			if err := d.into(dst, frame); err != nil {
				t.Errorf("%v: %v", f, err)
			}
			if !bytes.Equal(dst.Y, img.Y) || !bytes.Equal(dst.Cb, img.Cb) || !bytes.Equal(dst.Cr, img.Cr) {
				t.Errorf("%v with lines of %d bytes: another picture", f, stride)
			}
			if err := d.into(dst, frame[:len(frame)-1]); err == nil {
				t.Errorf("%v: a byte too few was taken", f)
			}
			d.Close()
		}
	}
}

// Motion JPEG: every sampling of cameras, odd sizes, no Huffman tables (as AVI's), bytes too many; what is damaged is refused.
func TestDecodeMJPEG(t *testing.T) {
	whole := motionJPEG(t, noisy(320, 180))
	grey := image.NewGray(image.Rect(0, 0, 320, 180))
	for i := range grey.Pix {
		grey.Pix[i] = byte(i)
	}
	odd := image.NewRGBA(image.Rect(0, 0, 319, 179))
	for i := range odd.Pix {
		odd.Pix[i] = byte(i >> 4)
	}
	for _, c := range []struct {
		name  string
		frame []byte
		size  image.Point
		wrong string // part of the error; "" means none
	}{
		{"whole", whole, image.Pt(320, 180), ""},
		{"monochrome", motionJPEG(t, grey), image.Pt(320, 180), ""},
		{"odd sides", motionJPEG(t, odd), image.Pt(319, 179), ""},
		{"without Huffman tables", withoutTables(whole), image.Pt(320, 180), ""},
		{"bytes behind its end", append(bytes.Clone(whole), 0, 0, 0, 0), image.Pt(320, 180), ""},
		{"cut off", whole[:len(whole)/2], image.Pt(320, 180), "damaged"},
		{"another size", whole, image.Pt(640, 360), "320x180, where 640x360"},
		{"empty", nil, image.Pt(320, 180), "empty"},
		{"no JPEG", []byte(strings.Repeat("camera", 100)), image.Pt(320, 180), "damaged"},
	} {
		d, err := newDecoder(mode{format: formatMJPEG, width: c.size.X, height: c.size.Y}, 0)
		if err != nil {
			t.Fatal(err)
		}
		dst := image.NewYCbCr(image.Rect(0, 0, even(c.size.X), even(c.size.Y)), image.YCbCrSubsampleRatio420)
		err = d.into(dst, c.frame)
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: %v, want %q", c.name, err, c.wrong)
		}
		if err == nil && c.name == "whole" {
			if y := psnr(dst.Y, noisy(320, 180).Y); y < 30 {
				t.Errorf("luma %.0f dB to the picture that went in", y)
			}
		}
		d.Close()
	}
}

// withoutTables takes the Huffman tables out (segments FF C4).
func withoutTables(jpeg []byte) []byte {
	out := bytes.Clone(jpeg)
	for {
		i := bytes.Index(out, []byte{0xff, 0xc4})
		if i < 0 {
			return out
		}
		n := int(out[i+2])<<8 | int(out[i+3])
		out = append(out[:i], out[i+2+n:]...)
	}
}

// Nothing that a camera can send breaks the decoder.
func FuzzMJPEG(f *testing.F) {
	f.Add(motionJPEG(f, noisy(320, 180)))
	d, err := newDecoder(mode{format: formatMJPEG, width: 320, height: 180}, 0)
	if err != nil {
		f.Fatal(err)
	}
	dst := image.NewYCbCr(image.Rect(0, 0, 320, 180), image.YCbCrSubsampleRatio420)
	f.Fuzz(func(_ *testing.T, frame []byte) { _ = d.into(dst, frame) })
}

func TestJPEGDecodersLeaveNothing(t *testing.T) {
	if !inOneArena(t) {
		return
	}
	frame := motionJPEG(t, noisy(320, 180))
	dst := image.NewYCbCr(image.Rect(0, 0, 320, 180), image.YCbCrSubsampleRatio420)
	grows(t, 5, 200, 500_000, func() {
		d, err := newDecoder(mode{format: formatMJPEG, width: 320, height: 180}, 0)
		if err := errors.Join(err, d.into(dst, frame)); err != nil {
			t.Fatal(err)
		}
		d.Close()
	})
}

// What a frame costs before it is encoded, by format and size. MJPEG-Go is Go's own image/jpeg on the same frames.
func BenchmarkDecode(b *testing.B) {
	for _, size := range []image.Point{{640, 360}, {1280, 720}, {1920, 1080}} {
		img := noisy(size.X, size.Y)
		dst := image.NewYCbCr(img.Rect, image.YCbCrSubsampleRatio420)
		for _, f := range []v4l2Format{formatNV12, formatYUYV, formatMJPEG} {
			b.Run(fmt.Sprintf("%v/%d", f, size.Y), func(b *testing.B) {
				d, err := newDecoder(mode{format: f, width: size.X, height: size.Y}, 0)
				if err != nil {
					b.Fatal(err)
				}
				defer d.Close()
				stride := size.X
				if f == formatYUYV {
					stride *= 2
				}
				frame := rawFrame(f, img, stride)
				if f == formatMJPEG {
					frame = motionJPEG(b, img)
				}
				for b.Loop() {
					if err := d.into(dst, frame); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("MJPEG-Go/%d", size.Y), func(b *testing.B) {
			frame := motionJPEG(b, img)
			for b.Loop() {
				img, err := jpeg.Decode(bytes.NewReader(frame))
				if err != nil || !copyI420(dst, img) {
					b.Fatal(err)
				}
			}
		})
	}
}

// Frames that waited are left out, at most as many as there are buffers: a camera whose clock is wrong is seen all the same.
func TestFramesThatWaited(t *testing.T) {
	s := &v4l2Stream{stale: StaleAfter, bufs: make([][]byte, bufferedFrames)}
	show := func(waited time.Duration, n int) (shown int) {
		for range n {
			if !s.tooOld(waited) {
				shown++
			}
		}
		return shown
	}
	for _, c := range []struct {
		name   string
		waited time.Duration
		n, out int
	}{
		{"fresh", 30 * time.Millisecond, 10, 10},
		{"this program stood still", 5 * time.Second, bufferedFrames, 0},
		{"fresh again", 30 * time.Millisecond, 10, 10},
		{"the clock is wrong", time.Hour, 30, 30 - bufferedFrames},
		{"the clock is fast", -time.Hour, 10, 10},
	} {
		if shown := show(c.waited, c.n); shown != c.out {
			t.Errorf("%s: %d of %d shown, want %d", c.name, shown, c.n, c.out)
		}
	}
}
