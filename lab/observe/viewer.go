package observe

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"scanside/lab/scenario"
	"scanside/media"
	"scanside/media/synthetic"
)

// eagerness is how often a viewer without a picture asks for a key frame: libwebrtc's spacing.
const eagerness = 500 * time.Millisecond

// Viewer plays a merged stream and counts it. Its methods may be called from any goroutine.
type Viewer struct {
	peer     *peer
	counters [media.NumKinds]*synthetic.Counter
	screen   *synthetic.Counter // of the picture, never marked: what the viewer himself goes by
	closed   chan struct{}
	once     sync.Once
	gone     sync.WaitGroup
}

// Play connects to a WHEP endpoint and starts counting. ctx bounds the connecting only.
func Play(ctx context.Context, cfg Config) (*Viewer, error) {
	v := &Viewer{screen: synthetic.NewCounter(media.Video)}
	for k := range v.counters {
		v.counters[k] = synthetic.NewCounter(media.Kind(k))
	}
	return v.Also(ctx, cfg)
}

// Also connects to a further endpoint, or to the same anew, for the same person: what arrives there counts as if it had come over
// this viewer's connection. The two are closed each on its own.
func (v *Viewer) Also(ctx context.Context, cfg Config) (*Viewer, error) {
	p, err := newPeer(cfg)
	if err != nil {
		return nil, fmt.Errorf("play %s: %w", cfg.URL, err)
	}
	v = &Viewer{peer: p, counters: v.counters, screen: v.screen, closed: make(chan struct{})}
	p.pc.OnTrack(v.track)
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		if _, err = p.pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
			break
		}
	}
	if err == nil {
		err = p.negotiate(ctx, cfg.URL)
	}
	if err != nil {
		_ = v.Close()
		return nil, fmt.Errorf("play %s: %w", cfg.URL, err)
	}
	return v, nil
}

func (v *Viewer) track(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	select {
	case <-v.closed:
		return
	default:
	}
	counters := []*synthetic.Counter{v.counters[media.Voice]}
	if t.Kind() == webrtc.RTPCodecTypeVideo {
		counters = []*synthetic.Counter{v.counters[media.Video], v.screen}
		v.gone.Go(func() { v.askForKeyFrames(t.SSRC()) })
	}
	v.gone.Go(func() {
		for {
			p, _, err := t.ReadRTP()
			if err != nil {
				return
			}
			for _, c := range counters {
				_ = c.WriteRTP(p) // it only counts
			}
		}
	})
}

// askForKeyFrames does what a browser does: ask at the start, for he came late, and again as long as there is nothing to show.
func (v *Viewer) askForKeyFrames(ssrc webrtc.SSRC) {
	tick := time.NewTicker(eagerness)
	defer tick.Stop()
	for shown, late := uint64(0), true; ; late = false {
		now := v.screen.Stats().FramesShown
		if late || now == shown {
			_ = v.peer.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(ssrc)}})
		}
		shown = now
		select {
		case <-tick.C:
		case <-v.closed:
			return
		}
	}
}

// Mark starts a measurement and End ends it; see synthetic.Counter.
func (v *Viewer) Mark() {
	for _, c := range v.counters {
		c.Mark()
	}
}

// End ends the measurement; stragglers still count.
func (v *Viewer) End() {
	for _, c := range v.counters {
		c.End()
	}
}

// Stats is one stream's counts so far.
func (v *Viewer) Stats(k media.Kind) synthetic.Stats { return v.counters[k].Stats() }

// Receiving reports whether both streams arrive and there is a picture.
func (v *Viewer) Receiving() bool {
	return v.Stats(media.Voice).Packets > 0 && v.Stats(media.Video).FramesShown > 0
}

// Way is the counts as the result has them. A viewer cannot know how often the source was asked for key frames.
func (v *Viewer) Way() scenario.Way {
	voice, video := v.Stats(media.Voice), v.Stats(media.Video)
	way := scenario.Way{
		Voice: scenario.Voice{Sent: voice.Sent, Lost: voice.Lost, LongestGapMS: ms(voice.LongestGap)},
		Video: scenario.Video{FramesSent: video.Frames, FramesLost: video.FramesLost, LongestFreezeMS: ms(video.LongestFreeze)},
	}
	if voice.LongestDelay > 0 {
		way.Voice.Late = &voice.Late
	}
	return way
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Close leaves and waits for everything the viewer started. Closing twice is fine.
func (v *Viewer) Close() (err error) {
	v.once.Do(func() {
		close(v.closed)
		err = v.peer.close()
	})
	v.gone.Wait()
	return err
}
