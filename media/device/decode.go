package device

import (
	"fmt"
	"image"
)

// decoder makes 4:2:0 pictures of one camera's frames. It belongs to one goroutine.
type decoder struct {
	mode   mode
	stride int // bytes a line of the first plane
	jpeg   *jpegDecoder
}

func newDecoder(m mode, stride int) (*decoder, error) {
	d := &decoder{mode: m, stride: stride}
	if m.format == formatMJPEG {
		var err error
		if d.jpeg, err = newJPEGDecoder(); err != nil {
			return nil, err
		}
		return d, nil
	}
	least := m.width
	if m.format == formatYUYV || m.format == formatUYVY {
		least *= 2
	}
	d.stride = max(d.stride, least) // some drivers leave it zero
	return d, nil
}

// Close gives C's memory back.
func (d *decoder) Close() {
	if d.jpeg != nil {
		d.jpeg.Close()
	}
}

// into writes a frame into dst, which is 4:2:0 of the mode's size made even.
func (d *decoder) into(dst *image.YCbCr, frame []byte) error {
	if d.jpeg != nil {
		return d.jpeg.into(dst, frame, image.Pt(d.mode.width, d.mode.height))
	}
	lines := d.mode.height
	whole := d.stride * lines
	switch d.mode.format {
	case formatI420:
		whole += 2 * (d.stride / 2) * (lines / 2)
	case formatNV12, formatNV21:
		whole += d.stride * (lines / 2)
	}
	if len(frame) < whole {
		return fmt.Errorf("a picture of %d bytes, where %v needs %d", len(frame), d.mode, whole)
	}
	switch d.mode.format {
	case formatI420:
		d.planar(dst, frame)
	case formatNV12:
		d.paired(dst, frame, dst.Cb, dst.Cr)
	case formatNV21:
		d.paired(dst, frame, dst.Cr, dst.Cb)
	case formatYUYV:
		d.packed(dst, frame, 0, 1)
	case formatUYVY:
		d.packed(dst, frame, 1, 0)
	default:
		return fmt.Errorf("a picture in the format %v, which cannot be used", d.mode.format)
	}
	return nil
}

// planar copies three planes (V4L2 "YU12").
func (d *decoder) planar(dst *image.YCbCr, frame []byte) {
	w, h := dst.Rect.Dx(), dst.Rect.Dy()
	copyPlane(dst.Y, dst.YStride, frame, d.stride, w, h, 1, 1)
	colour := frame[d.stride*d.mode.height:]
	copyPlane(dst.Cb, dst.CStride, colour, d.stride/2, w/2, h/2, 1, 1)
	copyPlane(dst.Cr, dst.CStride, colour[d.stride/2*(d.mode.height/2):], d.stride/2, w/2, h/2, 1, 1)
}

// paired takes the colours apart, which lie side by side ("NV12", "NV21").
func (d *decoder) paired(dst *image.YCbCr, frame []byte, first, second []byte) {
	w, h := dst.Rect.Dx(), dst.Rect.Dy()
	copyPlane(dst.Y, dst.YStride, frame, d.stride, w, h, 1, 1)
	colour := frame[d.stride*d.mode.height:]
	for row := range h / 2 {
		from, a, b := colour[row*d.stride:][:w], first[row*dst.CStride:][:w/2], second[row*dst.CStride:][:w/2]
		for i := range a {
			a[i], b[i] = from[2*i], from[2*i+1]
		}
	}
}

// packed takes brightness and colour apart ("YUYV": y 0, c 1; "UYVY": y 1, c 0); of the colours every second line is used.
func (d *decoder) packed(dst *image.YCbCr, frame []byte, y, c int) {
	w, h := dst.Rect.Dx(), dst.Rect.Dy()
	for row := range h {
		from, to := frame[row*d.stride:][:2*w], dst.Y[row*dst.YStride:][:w]
		if row%2 == 1 {
			for i := range to {
				to[i] = from[2*i+y]
			}
			continue
		}
		cb, cr := dst.Cb[row/2*dst.CStride:][:w/2], dst.Cr[row/2*dst.CStride:][:w/2]
		for i := range cb {
			four := from[4*i : 4*i+4 : 4*i+4]
			to[2*i], to[2*i+1] = four[y], four[2+y]
			cb[i], cr[i] = four[c], four[2+c]
		}
	}
}
