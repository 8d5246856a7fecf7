package device

import (
	"image"
	"math"
	"sync/atomic"
	"time"

	"scanside/media"
)

// videoStream is what camera and test picture share: pictures in, packets out. put and close belong to Run's goroutine,
// the rest may be called by any.
type videoStream struct {
	*condition
	shutter
	key  atomic.Bool  // somebody asked for a key frame
	rate atomic.Int64 // wanted rate, bit/s

	start  time.Time // RTP timestamps count from here
	last   time.Time // of the last picture
	sent   time.Time // of the last that was encoded
	pace   float64   // how often pictures come
	ladder media.Ladder
	shrink shrinker
	enc    *h264 // nil: to be built for the next picture
	size   image.Point
	fps    float64 // enc's
	coded  int     // enc's rate, bit/s
	debt   debt
	pictures
}

// Kind is media.Video.
func (v *videoStream) Kind() media.Kind { return media.Video }

// RequestKeyFrame makes the next picture a key frame. It never blocks; requests before that picture are one. Any
// goroutine may call it.
func (v *videoStream) RequestKeyFrame() { v.key.Store(true) }

// SetRate sets the wanted rate in bits a second, held between 100 kbit/s and 8 Mbit/s; it takes effect with the next
// picture. Any goroutine may call it.
func (v *videoStream) SetRate(bps int) {
	v.rate.Store(int64(min(max(bps, minVideoBitrate), maxVideoBitrate)))
}

// put encodes a picture that was taken at at and sends its packets, unless the stream is too far ahead of its rate. It is made
// smaller when the rate leaves too little for it, and pictures are left out when it leaves too little for that; a change of shape
// begins with a key frame. fps is how often such pictures come; 0 leaves it as it was. After an error the next put starts with a fresh encoder, and so
// with a key frame.
func (v *videoStream) put(img *image.YCbCr, at time.Time, fps float64, out media.Sink) error {
	bps := int(v.rate.Load())
	if !at.After(v.last) {
		at = v.last.Add(time.Millisecond) // a slate was drawn while this picture waited: time goes forward all the same
	}
	v.last = at
	if v.debt.tooDeep(at, bps) {
		v.edit(func(h *media.Health) { h.Skipped++ })
		return nil
	}
	if fps > 0 {
		v.pace = fps
	}
	full := media.Shape{Width: img.Rect.Dx(), Height: img.Rect.Dy(), FPS: int(math.Round(v.pace))}
	shape := v.ladder.Fit(full, bps)
	v.shaped(shape, full)
	if fps = v.pace; shape.FPS < full.FPS {
		fps = float64(shape.FPS)
		if at.Sub(v.sent) < time.Duration(0.75/fps*float64(time.Second)) {
			return nil
		}
	}
	if shape.Width < full.Width {
		img = v.shrink.to(image.Pt(shape.Width, shape.Height), img)
	}
	v.sent = at
	if err := v.fit(img.Rect.Size(), fps, bps); err != nil {
		return err
	}
	if bps != v.coded {
		if err := v.enc.setRate(bps); err != nil {
			return err
		}
		v.coded = bps
	}
	accessUnit, err := v.enc.encode(img, v.key.Swap(false))
	if err != nil {
		v.close()
		return err
	}
	v.debt.spend(len(accessUnit))
	for _, p := range v.split(accessUnit, uint32(ticks(at.Sub(v.start), videoClock))) {
		_ = out.WriteRTP(p) // the sink counts its own failures; they are no reason to stop a source
	}
	return nil
}

// fit makes the encoder one for pictures of this size and pace.
func (v *videoStream) fit(size image.Point, fps float64, bps int) error {
	if v.enc != nil && size == v.size && fps == v.fps {
		return nil
	}
	v.close()
	enc, err := newH264(size.X, size.Y, fps, bps)
	if err != nil {
		return err
	}
	v.enc, v.size, v.fps, v.coded = enc, size, fps, bps
	return nil
}

// close gives the encoder's memory back.
func (v *videoStream) close() {
	if v.enc != nil {
		_ = v.enc.Close() // fails only for an encoder that was never built
		v.enc = nil
	}
}
