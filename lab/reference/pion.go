package reference

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// Recipe is how long pion waits: for silence to call ICE disconnected, to call it failed, and between its own checks. The
// zero value is pion's defaults: 5 s, 25 s, 2 s.
type Recipe struct{ Disconnected, Failed, Keepalive time.Duration }

// Fast is as fast as such timers are usually set.
func Fast() Recipe { return Recipe{time.Second, 5 * time.Second, 200 * time.Millisecond} }

func (r Recipe) peer() (*webrtc.PeerConnection, error) {
	var s webrtc.SettingEngine
	if r != (Recipe{}) {
		s.SetICETimeouts(r.Disconnected, r.Failed, r.Keepalive)
	}
	var m webrtc.MediaEngine
	if err := m.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	return webrtc.NewAPI(webrtc.WithSettingEngine(s), webrtc.WithMediaEngine(&m)).NewPeerConnection(webrtc.Configuration{})
}

// Caller is a PeerConnection that sends the stream and wants an ICE restart when it is disconnected. Close it.
type Caller struct {
	pc    *webrtc.PeerConnection
	wants atomic.Bool
	end   context.CancelFunc
}

// Call makes one that gathers on all interfaces of this namespace.
func Call(r Recipe) (*Caller, error) {
	pc, err := r.peer()
	if err != nil {
		return nil, err
	}
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "voice", "room")
	if err == nil {
		_, err = pc.AddTrack(track)
	}
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(context.Background())
	c := &Caller{pc: pc, end: end}
	pc.OnICEConnectionStateChange(func(s webrtc.ICEConnectionState) {
		c.wants.Store(s == webrtc.ICEConnectionStateDisconnected || s == webrtc.ICEConnectionStateFailed)
	})
	go func() {
		_ = speak(ctx, func(number uint32) error {
			return track.WriteRTP(&rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: uint16(number), Timestamp: number * 960},
				Payload: stamp(number),
			})
		})
	}()
	return c, nil
}

// WantsRestart reports whether the recipe calls for one; asking takes the wish.
func (c *Caller) WantsRestart() bool { return c.wants.Swap(false) }

// Offer is a new offer with all candidates.
func (c *Caller) Offer(restart bool) (string, error) {
	offer, err := c.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	if err != nil {
		return "", err
	}
	return settle(c.pc, offer)
}

// Accept takes the answer.
func (c *Caller) Accept(answer string) error {
	return c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
}

// Close hangs up.
func (c *Caller) Close() error { c.end(); return c.pc.Close() }

// Callee is the far end of Caller, or of a browser.
type Callee struct {
	Ear
	pc *webrtc.PeerConnection
}

// Answerer makes one; stamped says whether the packets carry numbers and times of ours.
func Answerer(r Recipe, stamped bool) (*Callee, error) {
	pc, err := r.peer()
	if err != nil {
		return nil, err
	}
	c := &Callee{pc: pc}
	pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		var turns, before uint32
		for {
			p, _, err := t.ReadRTP()
			if err != nil {
				return
			}
			if t.Kind() != webrtc.RTPCodecTypeAudio {
				continue
			}
			if stamped {
				c.hear(p.Payload)
				continue
			}
			if n := uint32(p.SequenceNumber); n < 1000 && before > 64000 {
				turns++
			}
			before = uint32(p.SequenceNumber)
			c.packet(turns<<16|before, 0)
		}
	})
	return c, nil
}

// Answer answers an offer with all candidates.
func (c *Callee) Answer(offer string) (string, error) {
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	answer, err := c.pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	return settle(c.pc, answer)
}

// Close hangs up.
func (c *Callee) Close() error { return c.pc.Close() }

// settle makes a description the local one and waits for its candidates.
func settle(pc *webrtc.PeerConnection, d webrtc.SessionDescription) (string, error) {
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(d); err != nil {
		return "", err
	}
	<-gathered
	return pc.LocalDescription().SDP, nil
}
