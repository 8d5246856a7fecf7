package observe

import (
	"context"
	"fmt"
	"sync"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"scanside/media"
	"scanside/media/synthetic"
)

// Physician talks into a room: synthetic voice and picture by WHIP.
type Physician struct {
	peer  *peer
	video *synthetic.Video
	stop  context.CancelFunc
	gone  sync.WaitGroup
}

// Talk connects to a WHIP endpoint and talks until Close. ctx bounds the connecting only.
func Talk(ctx context.Context, cfg Config) (*Physician, error) {
	p, err := newPeer(cfg)
	if err != nil {
		return nil, fmt.Errorf("talk to %s: %w", cfg.URL, err)
	}
	doc := &Physician{peer: p, video: synthetic.NewVideo(synthetic.VideoConfig{})}
	running, stop := context.WithCancel(context.Background())
	doc.stop = stop
	var ready []func()
	for _, s := range []media.Source{synthetic.NewVoice(), doc.video} {
		var start func()
		if start, err = doc.add(running, s); err != nil {
			break
		}
		ready = append(ready, start)
	}
	if err == nil {
		err = p.negotiate(ctx, cfg.URL)
	}
	if err != nil {
		_ = doc.Close()
		return nil, fmt.Errorf("talk to %s: %w", cfg.URL, err)
	}
	for _, start := range ready {
		start()
	}
	return doc, nil
}

// add gives a source a track; the returned function starts it.
func (d *Physician) add(ctx context.Context, s media.Source) (start func(), err error) {
	capability := opus()
	if s.Kind() == media.Video {
		capability = h264()
	}
	track, err := webrtc.NewTrackLocalStaticRTP(capability, s.Kind().String(), "physician")
	if err != nil {
		return nil, err
	}
	transceiver, err := d.peer.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return nil, err
	}
	d.gone.Go(func() { answer(transceiver.Sender(), s) })
	return func() {
		d.gone.Go(func() { _ = s.Run(ctx, media.SinkFunc(func(p *rtp.Packet) error { return track.WriteRTP(p) })) })
	}, nil
}

// What a REMB leaves for the picture: the voice, with its headers, comes first (Chromium shares it out alike).
const (
	voiceShare   = 60_000
	leastPicture = 50_000
	mostPicture  = 2_000_000 // as without a REMB
)

// answer gives a key frame to whoever asks, and obeys who says how much the way carries.
func answer(sender *webrtc.RTPSender, s media.Source) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			switch p := p.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				s.RequestKeyFrame()
			case *rtcp.ReceiverEstimatedMaximumBitrate:
				if s.Kind() == media.Video {
					s.SetRate(min(max(int(p.Bitrate)-voiceShare, leastPicture), mostPicture))
				}
			}
		}
	}
}

// KeyFrameRequests is how often the room asked for a key frame so far.
func (d *Physician) KeyFrameRequests() uint64 { return d.video.KeyFrameRequests() }

// Close stops talking and waits for everything the physician started. Closing twice is fine.
func (d *Physician) Close() error {
	d.stop()
	err := d.peer.close()
	d.gone.Wait()
	return err
}
