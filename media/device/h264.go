package device

import (
	"errors"
	"fmt"
	"image"

	"github.com/pion/mediadevices/pkg/codec"
	"github.com/pion/mediadevices/pkg/codec/openh264"
	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"
)

// h264 is one openh264 encoder for pictures of one size: H.264 constrained baseline, one slice per picture. It belongs
// to one goroutine; none of its methods may be called by two at once.
type h264 struct {
	enc   codec.ReadCloser
	keys  codec.KeyFrameController
	rates codec.BitRateController
	next  image.Image // what the encoder's reader hands over
}

// newH264 builds an encoder for width x height pictures (both even, at least 16) that come fps times a second and should
// take bps bits a second.
func newH264(width, height int, fps float64, bps int) (*h264, error) {
	params, err := openh264.NewParams()
	if err != nil {
		return nil, fmt.Errorf("openh264: %w", err)
	}
	params.BitRate = bps
	params.RCMode = openh264.RCBitrateMode
	params.EnableFrameSkip = false            // see debt
	params.IntraPeriod = 0                    // key frames come on request only
	params.SliceMode = openh264.SMSingleSlice // the packetizer cuts pictures up; slices would cost rate and save nothing
	params.SliceSizeConstraint = 0
	params.MultipleThreadIdc = 1 // 720p30 takes a tenth of a core; threads would only add wake-ups

	e := &h264{}
	reader := video.ReaderFunc(func() (image.Image, func(), error) { return e.next, func() {}, nil })
	// FrameRate must be set: the rate control divides by it, and 0 sends ten times the target.
	p := prop.Media{Video: prop.Video{Width: width, Height: height, FrameRate: float32(fps)}}
	e.enc, err = params.BuildVideoEncoder(reader, p)
	if err != nil {
		return nil, fmt.Errorf("openh264: build an encoder for %dx%d at %.3g pictures/s and %d bit/s: %w", width, height, fps, bps, err)
	}
	var hasKeys, hasRates bool
	e.keys, hasKeys = e.enc.Controller().(codec.KeyFrameController)
	e.rates, hasRates = e.enc.Controller().(codec.BitRateController)
	if !hasKeys || !hasRates {
		return nil, errors.Join(errors.New("openh264: this build of mediadevices can neither force key frames nor change the rate"), e.enc.Close())
	}
	return e, nil
}

// encode returns img as an Annex B access unit, a key frame with its parameter sets if key is true. No bytes and no error
// means that the encoder dropped the picture; a key frame that was asked for then comes with the next one.
// img must be 4:2:0 of the encoder's size and is not kept.
func (e *h264) encode(img *image.YCbCr, key bool) ([]byte, error) {
	if key {
		if err := e.keys.ForceKeyFrame(); err != nil {
			return nil, fmt.Errorf("openh264: force a key frame: %w", err)
		}
	}
	e.next = img
	au, _, err := e.enc.Read()
	e.next = nil
	if err != nil {
		return nil, fmt.Errorf("openh264: encode a picture: %w", err)
	}
	return au, nil
}

// setRate changes the target to bps bits a second, without a key frame.
func (e *h264) setRate(bps int) error {
	if err := e.rates.SetBitRate(bps); err != nil {
		return fmt.Errorf("openh264: set the rate to %d bit/s: %w", bps, err)
	}
	return nil
}

// Close frees the encoder's memory, which is C's. Call it once.
func (e *h264) Close() error { return e.enc.Close() }
