package synthetic

import (
	"context"

	"scanside/media"
)

// Voice is a media.Source shaped like Opus at 20 ms.
type Voice struct{}

func NewVoice() *Voice                                         { return &Voice{} }
func (v *Voice) Kind() media.Kind                              { return media.Voice }
func (v *Voice) Run(ctx context.Context, out media.Sink) error { <-ctx.Done(); return nil }
func (v *Voice) RequestKeyFrame()                              {}
func (v *Voice) SetRate(bps int)                               {}

// Packets is the number of packets produced so far.
func (v *Voice) Packets() uint64 { return 0 }

// VideoConfig says what Video produces; the zero value means 30 frames a second of about 2 Mbit/s.
type VideoConfig struct {
	FPS     int
	Bitrate int
}

// Video is a media.Source shaped like H.264.
type Video struct{}

func NewVideo(VideoConfig) *Video                              { return &Video{} }
func (v *Video) Kind() media.Kind                              { return media.Video }
func (v *Video) Run(ctx context.Context, out media.Sink) error { <-ctx.Done(); return nil }
func (v *Video) RequestKeyFrame()                              {}
func (v *Video) SetRate(bps int)                               {}

// Packets is the number of packets produced so far.
func (v *Video) Packets() uint64 { return 0 }

// Frames is the number of frames produced so far.
func (v *Video) Frames() uint64 { return 0 }

// KeyFrames is the number of key frames produced so far.
func (v *Video) KeyFrames() uint64 { return 0 }

// KeyFrameRequests is the number of calls of RequestKeyFrame so far.
func (v *Video) KeyFrameRequests() uint64 { return 0 }
