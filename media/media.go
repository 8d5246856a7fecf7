package media

import (
	"context"

	"github.com/pion/rtp"
)

// Kind is what a stream carries. The zero value is Voice.
type Kind uint8

// The kinds of stream.
const (
	Voice Kind = iota
	Video
)

// NumKinds is the number of kinds, for arrays indexed by Kind.
const NumKinds = 2

// String returns "voice" or "video", the words used in logs, metrics and the API.
func (k Kind) String() string {
	if k == Video {
		return "video"
	}
	return "voice"
}

// ClockRate is the RTP clock of the kind in Hz: 48000 for Opus (RFC 7587 section 4.1), 90000 for video (RFC 6184 section 5.1).
func (k Kind) ClockRate() uint32 {
	if k == Video {
		return 90000
	}
	return 48000
}

// Sink takes packets. A packet handed over is frozen: nobody changes it or its payload afterwards, so a sink may keep it.
type Sink interface {
	WriteRTP(p *rtp.Packet) error
}

// SinkFunc makes a function a Sink.
type SinkFunc func(*rtp.Packet) error

// WriteRTP calls f(p).
func (f SinkFunc) WriteRTP(p *rtp.Packet) error { return f(p) }

// Armed is a Source that can arm its stream against loss. Any goroutine may call SetLoss, with the share of packets that get lost.
type Armed interface{ SetLoss(share float64) }

// Source produces one encoded stream.
type Source interface {
	Kind() Kind
	// Run produces packets into out until ctx ends, then returns nil; it returns an error only when the source itself
	// failed. An error of out never stops a source.
	Run(ctx context.Context, out Sink) error
	// RequestKeyFrame makes one of the next frames a key frame. It never blocks; many requests before that frame are one.
	// Any goroutine may call it. For voice it does nothing.
	RequestKeyFrame()
	// SetRate sets the wanted bit rate in bits per second. Any goroutine may call it.
	SetRate(bps int)
	// Mute closes the device and keeps it closed, or lets it be opened again. It never blocks, and survives the end of Run: a
	// source muted before Run opens nothing. Meanwhile a camera's source sends a slate with MutedPicture, a microphone's
	// nothing at all. Health.Muted says when the device is closed. Any goroutine may call it.
	Mute(on bool)
}
