package device

import "image"

// shrinker makes pictures smaller: 4:2:0 in, 4:2:0 out, each plane by itself, sampled between the nearest four where the old
// grid does not meet the new one. Half the sides is exact: four make one. The zero value is ready; the picture it gives is
// valid until the next.
type shrinker struct {
	img  *image.YCbCr
	from image.Point
	x    [2][]tap // of luma, of chroma
	y    [2][]tap
}

// tap says which sample and its neighbour make one, and how much of 256 the neighbour has.
type tap struct{ at, part int }

// to gives src in that size.
func (s *shrinker) to(size image.Point, src *image.YCbCr) *image.YCbCr {
	if from := src.Rect.Size(); s.img == nil || s.img.Rect.Size() != size || s.from != from {
		s.img, s.from = image.NewYCbCr(image.Rectangle{Max: size}, image.YCbCrSubsampleRatio420), from
		for plane := range 2 {
			s.x[plane] = taps(size.X>>plane, from.X>>plane)
			s.y[plane] = taps(size.Y>>plane, from.Y>>plane)
		}
	}
	at := src.Rect.Min
	shrinkPlane(s.img.Y, s.img.YStride, src.Y[src.YOffset(at.X, at.Y):], src.YStride, s.x[0], s.y[0])
	c := src.COffset(at.X, at.Y)
	shrinkPlane(s.img.Cb, s.img.CStride, src.Cb[c:], src.CStride, s.x[1], s.y[1])
	shrinkPlane(s.img.Cr, s.img.CStride, src.Cr[c:], src.CStride, s.x[1], s.y[1])
	return s.img
}

// taps are those of n samples out of from: the centres of the new samples on the old grid.
func taps(n, from int) []tap {
	all := make([]tap, n)
	for i := range all {
		centre := ((2*i+1)*from*128)/n - 128 // in 1/256 samples
		centre = min(max(centre, 0), (from-1)*256-1)
		all[i] = tap{centre >> 8, centre & 255}
	}
	return all
}

func shrinkPlane(dst []byte, dstStride int, src []byte, srcStride int, x, y []tap) {
	for row, v := range y {
		to := dst[row*dstStride:][:len(x)]
		upper, lower := src[v.at*srcStride:], src[(v.at+1)*srcStride:]
		for i, h := range x {
			a := int(upper[h.at])<<8 + (int(upper[h.at+1])-int(upper[h.at]))*h.part
			b := int(lower[h.at])<<8 + (int(lower[h.at+1])-int(lower[h.at]))*h.part
			to[i] = byte((a<<8 + (b-a)*v.part + 1<<15) >> 16)
		}
	}
}
