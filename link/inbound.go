package link

import (
	"sync/atomic"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"scanside/media"
)

// PublishEvents are called from the peer's goroutines and must only post. Any may be nil.
type PublishEvents struct {
	Packet    func(k media.Kind, p *rtp.Packet) // p is frozen, has no header extensions, and may be retained
	Report    func() []StreamReport             // asked for each probe's answer; what is known across all legs
	Word      func([]StreamReport)              // came with a probe: what the publisher has of the media that go back to it
	Sent      func() Tally                      // asked for each probe's answer; what went back over the publisher's uplink
	Faults    func(Faults)                      // came with a probe: what is wrong with the publisher's sources
	Connected func()                            // once, when media can flow
	Closed    func(err error)                   // once, at the end; nil after Close
}

// Inbound is one publisher's peer.
type Inbound struct {
	*accepted
	ssrcs [media.NumKinds]atomic.Uint32
}

var _ Peer = (*Inbound)(nil)

// AcceptPublish answers a WHIP offer with a recvonly answer (RFC 9725 4.2). A refusal is a *Problem.
func (a *API) AcceptPublish(offer string, ev PublishEvents) (*Inbound, string, error) {
	offered, problem := judgeOffer(offer, "recvonly", "inactive")
	if problem != nil {
		return nil, "", problem
	}
	in := &Inbound{}
	_, answer, err := a.accept(offer, offered, ev.Connected, ev.Closed, func(acc *accepted) error {
		in.accepted = acc
		return in.prepare(ev)
	})
	if err != nil {
		return nil, "", err
	}
	return in, answer, nil
}

func (in *Inbound) prepare(ev PublishEvents) error {
	in.pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		k := kindOf(track.Kind())
		in.ssrcs[k].Store(uint32(track.SSRC()))
		in.run(func() {
			in.readMedia(track, func(p *rtp.Packet) {
				if ev.Packet != nil {
					ev.Packet(k, p)
				}
			})
		})
		in.run(func() {
			in.readRTCP(receiver.Read, func(p rtcp.Packet) {
				hearFaults(p, ev.Faults)
				echo(p, ev, in.age(), in.sendRTCP)
			})
		})
	})
	for _, k := range in.offered.kinds {
		_, err := in.pc.AddTransceiverFromKind(rtpKind(k), webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		if err != nil {
			return err
		}
	}
	return nil
}

// StreamID is the offer's MediaStream id (msid): for an agent its run.
func (in *Inbound) StreamID() string { return in.offered.streamID }

// AskRepair asks the publisher to send these packets again (RTCP NACK).
func (in *Inbound) AskRepair(k media.Kind, seqs []uint16) { in.askRepair(in.ssrcs[k].Load(), seqs) }

// AskKeyFrame asks the publisher for a key frame (RTCP PLI). Coalescing is the caller's.
func (in *Inbound) AskKeyFrame() { in.askKeyFrame(in.ssrcs[media.Video].Load()) }
