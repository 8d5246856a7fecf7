package link

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/pion/webrtc/v4"
)

// counterOffer is a WHEP server's 406 with an offer of its own (draft-ietf-wish-whep section 4.2): it cannot serve what we
// offered, but would serve this. It is good for 30 s, so it is answered at once.
type counterOffer struct {
	resource, etag, offer string
}

func (*counterOffer) Error() string { return "the far end made an offer of its own instead" }

// counterOffered is the counter-offer in a response; nil: there is none.
func counterOffered(resp *http.Response, body []byte, at *url.URL) *counterOffer {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	resource, err := at.Parse(resp.Header.Get("Location"))
	usable := err == nil && resp.Header.Get("Location") != "" && (resource.Scheme == "https" || at.Scheme == "http" && resource.Scheme == "http")
	if resp.StatusCode != http.StatusNotAcceptable || kind != typeSDP || !usable {
		return nil
	}
	return &counterOffer{resource.String(), resp.Header.Get("ETag"), string(body)}
}

// answerCounter makes a PeerConnection that takes the far end's offer, and waits until it is connected. On error nothing is left.
func (s *Session) answerCounter(ctx context.Context, doing string, c *counterOffer, prepare func(*half) error) (*half, error) {
	s.keep(c.resource)
	h, err := s.newHalf(s.cfg.Relays)
	if err != nil {
		s.unmake(c.resource)
		return nil, err
	}
	h.resource = c.resource
	if err = s.answer(ctx, h, c, prepare); err == nil {
		if err = h.established(ctx, false); err == nil {
			h.settle(s)
			return h, nil
		}
	}
	h.shut()
	s.unmake(c.resource)
	return nil, fmt.Errorf("%s: answer the far end's own offer: %w", doing, err)
}

func (s *Session) answer(ctx context.Context, h *half, c *counterOffer, prepare func(*half) error) error {
	theirs, err := judgeAnswer(c.offer, "sendonly")
	if err != nil {
		return err
	}
	h.echo = theirs.echo
	if err := prepare(h); err != nil {
		return err
	}
	offer := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: reachPassive(c.offer)}
	if err := h.pc.SetRemoteDescription(offer); err != nil {
		return err
	}
	answer, err := h.pc.CreateAnswer(nil)
	if err != nil {
		return err
	}
	text, err := h.gathered(ctx, answer, 0)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patchTimeout)
	defer cancel()
	resp, body, _, err := s.signal.do(ctx, call{http.MethodPatch, c.resource, typeSDP, c.etag, text})
	if err == nil && resp.StatusCode/100 != 2 {
		err = readProblem("send the answer", resp, body, time.Now())
	}
	return err
}
