package link

import (
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"scanside/media"
)

// PlayEvents are called from the peer's goroutines and must only post. Any may be nil.
type PlayEvents struct {
	KeyFrame  func()                            // the player asks for a key frame (PLI, FIR)
	Repair    func(k media.Kind, seqs []uint16) // the player misses these packets (NACK)
	Rate      func(bitsPerSecond int)           // what the way to the player carries, voice and picture together (REMB)
	Connected func()                            // once, when media can flow
	Closed    func(err error)                   // once, at the end; nil after Close
}

// Outbound is one player's peer.
type Outbound struct {
	*accepted
	legs [media.NumKinds]media.Sink
}

var _ Peer = (*Outbound)(nil)

// AcceptPlay answers a WHEP offer with a sendonly answer whose tracks belong to the stream streamID. A refusal is a
// *Problem.
func (a *API) AcceptPlay(offer, streamID string, ev PlayEvents) (*Outbound, string, error) {
	offered, problem := judgeOffer(offer, "sendonly", "inactive")
	if problem != nil {
		return nil, "", problem
	}
	out := &Outbound{}
	for k := range out.legs {
		out.legs[k] = media.SinkFunc(func(*rtp.Packet) error { return nil })
	}
	_, answer, err := a.accept(offer, offered, ev.Connected, ev.Closed, func(acc *accepted) error {
		out.accepted = acc
		return out.prepare(streamID, ev)
	})
	if err != nil {
		return nil, "", err
	}
	return out, answer, nil
}

func (o *Outbound) prepare(streamID string, ev PlayEvents) error {
	for _, k := range o.offered.kinds {
		track, err := webrtc.NewTrackLocalStaticRTP(codec(k), k.String(), sdpToken(streamID))
		if err != nil {
			return err
		}
		t, err := o.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		if err != nil {
			return err
		}
		o.legs[k] = &leg{peer: o.peer, track: track, sender: t.Sender()}
		o.run(func() {
			select { // reading starts SRTP
			case <-o.up:
			case <-o.done:
				return
			}
			o.readRTCP(t.Sender().Read, func(p rtcp.Packet) {
				echo(p, PublishEvents{}, o.age(), o.sendRTCP)
				rateAsked(p, ev.Rate)
				feedback(k, p, ev.KeyFrame, ev.Repair)
			})
		})
	}
	return nil
}

// Leg takes one kind's packets for this player; packets of a kind that the player did not ask for are dropped.
func (o *Outbound) Leg(k media.Kind) media.Sink { return o.legs[k] }
