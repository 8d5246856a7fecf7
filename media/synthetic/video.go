package synthetic

import (
	"context"
	"sync/atomic"
	"time"

	"scanside/media"
)

const (
	defaultFPS     = 30
	defaultBitrate = 2_000_000
	maxPayload     = 1180 // bytes of an RTP payload, so that the packet fits 1280 bytes of IPv6 with SRTP and TURN around it
	keyFrameCost   = 5    // a key frame is that many times a normal frame
)

// NAL unit headers: reference priority and type (H.264 section 7.4.1).
const (
	headerSlice = 0x61
	headerIDR   = 0x65
	headerSEI   = 0x06
	headerSTAPA = 0x78
	typeFUA     = 28
)

// First bytes of a slice header: first_mb_in_slice 0, then slice_type 7 (I) or 5 (P), each as ue(v) (H.264 section 7.3.3).
const (
	sliceI = 0x88
	sliceP = 0x9a
)

// Parameter sets of 1280x720, constrained baseline, level 3.1 (profile-level-id 42e01f).
const (
	sps = "\x67\x42\xe0\x1f\xda\x01\x40\x16\xe4"
	pps = "\x68\xce\x38\x80"
)

// VideoConfig says what Video produces. The zero value is 30 frames and 2 Mbit a second.
type VideoConfig struct {
	FPS     int
	Bitrate int // bits a second
}

// Video is a media.Source shaped like H.264 of constrained baseline: a key frame at the start, on request and where the shape of the
// picture changes, else frames that need the one before. The rate decides the shape as for a real camera, but its size is only said
// (by Shapes): nobody decodes these pictures, and their parameter sets stay those of 1280x720.
type Video struct {
	stream
	full      media.Shape
	ladder    media.Ladder
	shape     atomic.Pointer[media.Shape] // as sent
	every     time.Duration
	wanted    atomic.Bool
	requests  atomic.Uint64
	keyFrames atomic.Uint64
}

// NewVideo returns a Video.
func NewVideo(cfg VideoConfig) *Video {
	if cfg.FPS <= 0 {
		cfg.FPS = defaultFPS
	}
	if cfg.Bitrate <= 0 {
		cfg.Bitrate = defaultBitrate
	}
	v := &Video{every: time.Second / time.Duration(cfg.FPS), full: media.Shape{Width: 1280, Height: 720, FPS: cfg.FPS}}
	v.ladder.Rate = cfg.Bitrate
	v.shape.Store(&media.Shape{})
	v.init(media.Video, videoPayloadType, videoFirstSequence, cfg.Bitrate)
	return v
}

// RequestKeyFrame is part of media.Source: the next frame is a key frame.
func (v *Video) RequestKeyFrame() {
	v.requests.Add(1)
	v.wanted.Store(true)
}

// KeyFrameRequests is how often RequestKeyFrame was called. Any goroutine may call it.
func (v *Video) KeyFrameRequests() uint64 { return v.requests.Load() }

// KeyFrames is how many key frames were produced, the first of each run included. Any goroutine may call it.
func (v *Video) KeyFrames() uint64 { return v.keyFrames.Load() }

// Shapes is part of media.Shaped.
func (v *Video) Shapes() (now, full media.Shape) {
	if now = *v.shape.Load(); now != (media.Shape{}) {
		full = v.full
	}
	return now, full
}

// Run is part of media.Source. One Run at a time; each is a new run by its stamps.
func (v *Video) Run(ctx context.Context, out media.Sink) error {
	made := uint64(0)
	v.pace(ctx, v.every, func(n uint64) bool {
		rate := int(v.rate.Load())
		shape := v.ladder.Fit(v.full, rate)
		changed := shape.Height != v.shape.Load().Height
		v.shape.Store(&shape)
		if part := v.full.FPS / shape.FPS; n%uint64(part) != 0 {
			return false
		}
		key := v.wanted.Swap(false) || changed || made == 0
		size := rate / 8 / shape.FPS
		size = size * (75 + int(n*29%51)) / 100 // 0.75 to 1.25 of the mean, as pictures differ
		if key {
			size *= keyFrameCost
			v.keyFrames.Add(1)
		}
		v.frame(out, made, key, max(size, 64))
		made++
		return true
	})
	return nil
}

// frame sends one frame of about size bytes: for a key frame its parameter sets first, in one packet; then the slice, whole or in fragments.
func (v *Video) frame(out media.Sink, n uint64, key bool, size int) {
	const perFragment = maxPayload - 2
	header, slice := byte(headerSlice), byte(sliceP)
	count := (size + perFragment - 1) / perFragment
	st := Stamp{Frame: n, Count: count, Key: key}
	if key {
		header, slice = headerIDR, sliceI
		st.Count++
		payload, offset := parameterSets()
		v.send(out, payload, offset, st)
		st.Index++
	}
	if count == 1 { // a single NAL unit (RFC 6184 section 5.6)
		payload := fill(2 + max(size, stampSize))
		payload[0], payload[1] = header, slice
		v.send(out, payload, 2, st)
		return
	}
	for i := range count { // fragments (RFC 6184 section 5.8)
		payload := fill(2 + max(min(size-i*perFragment, perFragment), 1+stampSize))
		payload[0], payload[1] = header&0xe0|typeFUA, header&0x1f
		switch i {
		case 0:
			payload[1] |= 0x80
			payload[2] = slice
		case count - 1:
			payload[1] |= 0x40
		}
		v.send(out, payload, 3, st)
		st.Index++
	}
}

// parameterSets returns an aggregation packet (RFC 6184 section 5.7.1) of the parameter sets and a supplemental unit with room for a stamp, and
// where that is.
func parameterSets() (payload []byte, offset int) {
	payload = append(payload, headerSTAPA)
	unit := func(nal string) {
		payload = append(payload, byte(len(nal)>>8), byte(len(nal)))
		payload = append(payload, nal...)
	}
	unit(sps)
	unit(pps)
	// User data (H.264 annex D.1.7): type 5, its size, the data, then the stop bit.
	unit(string([]byte{headerSEI, 5, byte(stampSize)}) + string(fill(stampSize)) + "\x80")
	return payload, len(payload) - 1 - stampSize
}
