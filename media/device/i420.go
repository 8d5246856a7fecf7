package device

import "image"

// copyI420 writes src into dst as 4:2:0, halving the colour's resolution where src has more of it (by leaving out, which
// cannot be seen in moving pictures). dst is 4:2:0 with even sides; what src has beyond them is cut off. It says whether
// src is of a kind that cameras give.
func copyI420(dst *image.YCbCr, src image.Image) bool {
	w, h := dst.Rect.Dx(), dst.Rect.Dy()
	switch s := src.(type) {
	case *image.YCbCr:
		stepX, stepY, ok := colourSteps(s.SubsampleRatio)
		if !ok {
			return false
		}
		at := s.Rect.Min
		y, c := s.YOffset(at.X, at.Y), s.COffset(at.X, at.Y)
		copyPlane(dst.Y, dst.YStride, s.Y[y:], s.YStride, w, h, 1, 1)
		copyPlane(dst.Cb, dst.CStride, s.Cb[c:], s.CStride, w/2, h/2, stepX, stepY)
		copyPlane(dst.Cr, dst.CStride, s.Cr[c:], s.CStride, w/2, h/2, stepX, stepY)
	case *image.Gray: // a monochrome camera's JPEG
		copyPlane(dst.Y, dst.YStride, s.Pix, s.Stride, w, h, 1, 1)
		for i := range dst.Cb {
			dst.Cb[i], dst.Cr[i] = 128, 128
		}
	default:
		return false
	}
	return true
}

// colourSteps says how many of a ratio's colour samples make one of 4:2:0, across and down.
func colourSteps(r image.YCbCrSubsampleRatio) (x, y int, ok bool) {
	switch r {
	case image.YCbCrSubsampleRatio420:
		return 1, 1, true
	case image.YCbCrSubsampleRatio422:
		return 1, 2, true
	case image.YCbCrSubsampleRatio440:
		return 2, 1, true
	case image.YCbCrSubsampleRatio444:
		return 2, 2, true
	}
	return 0, 0, false
}

// copyPlane copies w x h samples, taking one of stepX across and one of stepY down.
func copyPlane(dst []byte, dstStride int, src []byte, srcStride, w, h, stepX, stepY int) {
	for row := range h {
		to, from := dst[row*dstStride:][:w], src[row*stepY*srcStride:]
		if stepX == 1 {
			copy(to, from[:w])
			continue
		}
		for i := range to {
			to[i] = from[i*stepX]
		}
	}
}
