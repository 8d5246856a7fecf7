package link

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"scanside/media"
)

var (
	// ErrOver is what a leg returns when its session is over.
	ErrOver = errors.New("the session is over")
	// ErrSilent ends a session whose path carried nothing for consent's 30 s (RFC 7675 5.1).
	ErrSilent = errors.New("nothing came over this path for 30 seconds")
	// ErrFarClosed ends a session that the other side closed.
	ErrFarClosed = errors.New("the other side closed the session")
	// ErrForgotten ends a session that the far end answers not to know: it was restarted, or somebody ended the session.
	ErrForgotten = errors.New("the far end does not know this session any more (was it restarted?)")
	// ErrPathBroken ends a session whose media path is silent while the far end answers over the same uplink: the
	// uplink's address changed, or a NAT forgot the path. A new session finds a new path.
	ErrPathBroken = errors.New("the far end answers over this uplink, but nothing comes over the media path")
)

// maxPacket is the largest RTP or RTCP packet read; our own stay below 1200 bytes.
const maxPacket = 1500

// peer is one PeerConnection with the goroutines that read from it. Its end is one event: done is closed, then in a
// goroutine of its own (pion forbids closing from its callbacks) the connection is closed and everything waited for.
type peer struct {
	pc       *webrtc.PeerConnection
	up       chan struct{} // closed when media can flow
	ready    chan struct{} // closed when it may be said that media can flow (see accepted.settle); nil: at once
	done     chan struct{} // closed when over
	finished chan struct{} // closed when nothing of the peer is left
	heard    atomic.Int64  // Unix nanoseconds of the last packet; 0: never
	begun    time.Time

	mu     sync.Mutex
	over   bool
	isUp   bool
	err    error
	wg     sync.WaitGroup // the readers
	onUp   func()
	onOver func(error)
}

// newPeer makes a PeerConnection with e. onUp and onOver may be nil; onOver is called once, last of all.
func newPeer(e engine, servers []webrtc.ICEServer, onUp func(), onOver func(error)) (*peer, error) {
	api, err := e.api()
	if err != nil {
		return nil, err
	}
	pc, err := api.NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle, ICEServers: servers})
	if err != nil {
		return nil, fmt.Errorf("make a peer connection: %w", err)
	}
	p := &peer{pc: pc, begun: time.Now(), up: make(chan struct{}), done: make(chan struct{}), finished: make(chan struct{}), onUp: onUp, onOver: onOver}
	pc.OnConnectionStateChange(p.stateChanged)
	return p, nil
}

func (p *peer) stateChanged(s webrtc.PeerConnectionState) {
	switch s {
	case webrtc.PeerConnectionStateConnected:
		if p.ready != nil {
			select {
			case <-p.ready:
			case <-p.done:
				return
			}
		}
		p.mu.Lock()
		first, onUp := !p.isUp && !p.over, p.onUp
		p.isUp = true
		p.mu.Unlock()
		if first {
			close(p.up)
			if onUp != nil {
				onUp()
			}
		}
	case webrtc.PeerConnectionStateFailed:
		p.end(ErrSilent)
	case webrtc.PeerConnectionStateClosed:
		p.end(ErrFarClosed)
	}
}

// run starts a reader; after the end it does nothing.
func (p *peer) run(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	p.wg.Add(1)
	go func() {
		defer p.wg.Done()
		f()
	}()
}

// end begins the end, once; err is the reason, nil for our own Close.
func (p *peer) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	p.over, p.err = true, err
	close(p.done)
	onOver := p.onOver
	go func() {
		defer close(p.finished)
		_ = p.pc.GracefulClose() // its errors are those of sockets that are gone
		p.wg.Wait()
		if onOver != nil {
			onOver(err)
		}
	}()
}

// age is the clock of this end of the session.
func (p *peer) age() time.Duration { return time.Since(p.begun) }

// Done is closed when the peer is over.
func (p *peer) Done() <-chan struct{} { return p.done }

// Close ends the peer and waits for its goroutines. Idempotent. Not to be called from the peer's own events.
func (p *peer) Close() error {
	p.end(nil)
	<-p.finished
	return nil
}

// reason is why the peer is over.
func (p *peer) reason() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// LastHeard is when the last packet came; the zero time: never.
func (p *peer) LastHeard() time.Time {
	if n := p.heard.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

// gathered sets the local description and waits until every candidate is in it, or for patience when that is not 0: what
// comes later needs no telling, for its checks show it to the other side (peer-reflexive, RFC 8445 7.3.1.3).
func (p *peer) gathered(ctx context.Context, d webrtc.SessionDescription, patience time.Duration) (string, error) {
	complete := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(d); err != nil {
		return "", fmt.Errorf("set local description: %w", err)
	}
	var enough <-chan time.Time
	if patience > 0 {
		enough = time.After(patience)
	}
	select {
	case <-complete:
		return p.pc.LocalDescription().SDP, nil
	case <-enough:
		return p.pc.LocalDescription().SDP, nil
	case <-p.done:
		return "", ErrOver
	case <-ctx.Done():
		return "", fmt.Errorf("gather candidates: %w", context.Cause(ctx))
	}
}

// connected waits until media can flow.
func (p *peer) connected(ctx context.Context) error {
	select {
	case <-p.up:
		return nil
	case <-p.done:
		if err := p.reason(); err != nil {
			return err
		}
		return ErrOver
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// readMedia hands on every packet of a track until the track ends. Each packet owns its bytes, so it may be kept; header
// extensions and padding are taken off, because it will be sent on where other extensions were negotiated. A packet that
// was only padding (a browser probing for bandwidth) is handed on empty: its number must not look lost.
func (p *peer) readMedia(track *webrtc.TrackRemote, each func(*rtp.Packet)) {
	buf := make([]byte, maxPacket)
	for {
		n, _, err := track.Read(buf)
		if err != nil {
			return
		}
		raw := append(make([]byte, 0, n), buf[:n]...)
		packet := &rtp.Packet{}
		if packet.Unmarshal(raw) != nil {
			continue
		}
		p.heard.Store(time.Now().UnixNano())
		packet.Header.Extension, packet.Header.ExtensionProfile, packet.Header.Extensions = false, 0, nil
		packet.Header.Padding, packet.Header.PaddingSize, packet.PaddingSize = false, 0, 0
		each(packet)
	}
}

// readRTCP hands on every RTCP packet until read fails for good. What does not parse was sent by an authenticated peer by
// mistake and is dropped.
func (p *peer) readRTCP(read func([]byte) (int, interceptor.Attributes, error), each func(rtcp.Packet)) {
	buf := make([]byte, maxPacket)
	for {
		n, _, err := read(buf)
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		p.heard.Store(time.Now().UnixNano())
		for _, packet := range packets {
			each(packet)
		}
	}
}

// sendRTCP is best effort: RTCP that the path does not take is asked again, or not missed.
func (p *peer) sendRTCP(packets ...rtcp.Packet) error {
	select {
	case <-p.done:
		return ErrOver
	default:
		return p.pc.WriteRTCP(packets)
	}
}

// maxNack bounds one request; a Merger asks for few, a window of 1000 would be a fault.
const maxNack = 256

// askRepair sends a generic NACK (RFC 4585 6.2.1).
func (p *peer) askRepair(ssrc uint32, seqs []uint16) {
	if ssrc == 0 || len(seqs) == 0 {
		return
	}
	seqs = seqs[:min(len(seqs), maxNack)]
	_ = p.sendRTCP(&rtcp.TransportLayerNack{MediaSSRC: ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(seqs)})
}

// askKeyFrame sends a picture loss indication (RFC 4585 6.3.1).
func (p *peer) askKeyFrame(ssrc uint32) {
	if ssrc != 0 {
		_ = p.sendRTCP(&rtcp.PictureLossIndication{MediaSSRC: ssrc})
	}
}

// feedback is what a receiver asks of a sender.
func feedback(k media.Kind, packet rtcp.Packet, keyFrame func(), repair func(media.Kind, []uint16)) {
	switch packet := packet.(type) {
	case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
		if keyFrame != nil && k == media.Video {
			keyFrame()
		}
	case *rtcp.TransportLayerNack:
		var seqs []uint16
		for i := range packet.Nacks {
			seqs = append(seqs, packet.Nacks[i].PacketList()...)
		}
		if repair != nil && len(seqs) > 0 {
			repair(k, seqs)
		}
	}
}

// leg is one kind's way into a peer.
type leg struct {
	peer   *peer
	track  *webrtc.TrackLocalStaticRTP
	sender *webrtc.RTPSender
	sends  *sendWatch // nil: the kernel's refusals are not watched
	kind   media.Kind
	plain  *plain // nil: the far end answers probes
}

// WriteRTP sends p with the negotiated payload type and this leg's SSRC; p itself stays as it is.
func (l *leg) WriteRTP(p *rtp.Packet) error {
	select {
	case <-l.peer.done:
		return ErrOver
	default:
	}
	if l.plain != nil {
		number, ok := l.plain.sent(l.kind, p)
		if !ok {
			return nil
		}
		renumbered := *p
		renumbered.SequenceNumber = number
		p = &renumbered
	}
	before := l.sends.count()
	if err := l.track.WriteRTP(p); err != nil {
		return err
	}
	return l.sends.since(before)
}

// ssrc is the one that the leg's packets are sent with; 0 before the peer negotiated.
func (l *leg) ssrc() uint32 { return uint32(l.sender.GetParameters().Encodings[0].SSRC) }
