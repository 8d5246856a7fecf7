package device

// #cgo pkg-config: libturbojpeg
// #include <stdlib.h>
// #include <turbojpeg.h>
//
// // A frame's planes are Go's memory; an array of them may not be passed, so they come one by one.
// static int decode(tjhandle h, const unsigned char *jpeg, unsigned long size, unsigned char *y, unsigned char *cb, unsigned char *cr,
//                   int width, int ystride, int cstride, int height) {
//     unsigned char *planes[3] = {y, cb, cr};
//     int strides[3] = {ystride, cstride, cstride};
//     return tjDecompressToYUVPlanes(h, jpeg, size, planes, width, strides, height, TJFLAG_FASTDCT);
// }
import "C"

import (
	"errors"
	"fmt"
	"image"
	"strings"
	"unsafe"
)

// jpegDecoder decodes Motion JPEG with libjpeg-turbo: Go's image/jpeg takes 10 ms for a picture of 720p, a third of what a core
// has at 30 a second, libjpeg-turbo about a tenth of that (BenchmarkMJPEG). It belongs to one goroutine.
type jpegDecoder struct {
	handle C.tjhandle
	img    *image.YCbCr // with the colours as the camera sends them, mostly 4:2:2
}

func newJPEGDecoder() (*jpegDecoder, error) {
	h := C.tjInitDecompress()
	if h == nil {
		return nil, errors.New("libjpeg-turbo: there is no memory for a decoder")
	}
	return &jpegDecoder{handle: h}, nil
}

// Close frees the decoder's memory, which is C's.
func (d *jpegDecoder) Close() {
	if d.handle != nil {
		C.tjDestroy(d.handle)
		d.handle = nil
	}
}

// into decodes frame, a JPEG picture of that size, into dst, which is 4:2:0 and may be smaller by one line or column.
func (d *jpegDecoder) into(dst *image.YCbCr, frame []byte, size image.Point) error {
	if len(frame) == 0 {
		return errors.New("an empty picture")
	}
	in, length := (*C.uchar)(unsafe.Pointer(unsafe.SliceData(frame))), C.ulong(len(frame))
	var w, h, sampling, space C.int
	if C.tjDecompressHeader3(d.handle, in, length, &w, &h, &sampling, &space) != 0 {
		return d.failed()
	}
	if int(w) != size.X || int(h) != size.Y {
		return fmt.Errorf("a picture of %dx%d, where %dx%d was agreed", w, h, size.X, size.Y)
	}
	if sampling == C.TJSAMP_GRAY {
		return d.grey(dst, in, length, size)
	}
	ratio, ok := ratios[int(sampling)]
	if !ok {
		return fmt.Errorf("a JPEG picture whose colours are sampled in a way that cannot be used (%d)", sampling)
	}
	d.room(size, ratio)
	if C.decode(d.handle, in, length, plane(d.img.Y), plane(d.img.Cb), plane(d.img.Cr), w, C.int(d.img.YStride), C.int(d.img.CStride), h) != 0 {
		if err := d.failed(); err != nil {
			return err
		}
	}
	src := *d.img
	src.Rect = image.Rectangle{Max: size}
	copyI420(dst, &src)
	return nil
}

// grey decodes a monochrome camera's picture.
func (d *jpegDecoder) grey(dst *image.YCbCr, in *C.uchar, length C.ulong, size image.Point) error {
	d.room(size, image.YCbCrSubsampleRatio420)
	if C.decode(d.handle, in, length, plane(d.img.Y), nil, nil, C.int(size.X), C.int(d.img.YStride), 0, C.int(size.Y)) != 0 {
		if err := d.failed(); err != nil {
			return err
		}
	}
	copyI420(dst, &image.Gray{Pix: d.img.Y, Stride: d.img.YStride, Rect: image.Rectangle{Max: size}})
	return nil
}

// ratios is a table of libjpeg-turbo's samplings.
var ratios = map[int]image.YCbCrSubsampleRatio{
	C.TJSAMP_420: image.YCbCrSubsampleRatio420, C.TJSAMP_422: image.YCbCrSubsampleRatio422,
	C.TJSAMP_440: image.YCbCrSubsampleRatio440, C.TJSAMP_444: image.YCbCrSubsampleRatio444,
}

// room makes img hold a picture of that size, rounded up to whole blocks: libjpeg-turbo writes planes of even sizes.
func (d *jpegDecoder) room(size image.Point, ratio image.YCbCrSubsampleRatio) {
	const block = 16
	whole := image.Pt((size.X+block-1)/block*block, (size.Y+block-1)/block*block)
	if d.img == nil || d.img.Rect.Max != whole || d.img.SubsampleRatio != ratio {
		d.img = image.NewYCbCr(image.Rectangle{Max: whole}, ratio)
	}
}

func plane(b []byte) *C.uchar { return (*C.uchar)(unsafe.Pointer(unsafe.SliceData(b))) }

// failed is what went wrong; nil if it spoils nothing: many cameras leave bytes between the parts of a picture, which the library
// warns of each time.
func (d *jpegDecoder) failed() error {
	text := C.GoString(C.tjGetErrorStr2(d.handle))
	if C.tjGetErrorCode(d.handle) == C.TJERR_WARNING && strings.Contains(text, "extraneous bytes") {
		return nil
	}
	return fmt.Errorf("a damaged JPEG picture: %s", text)
}
