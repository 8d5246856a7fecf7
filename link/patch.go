package link

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

// patchTimeout bounds a PATCH: there are servers that never answer one, and nothing waits for it while media flows.
const patchTimeout = 3 * time.Second

// errNoRestart is what a far end says that cannot restart ICE.
var errNoRestart = errors.New("the far end takes no ICE restart")

// iceSession is what both sides agreed on last.
type iceSession struct {
	mu     sync.Mutex
	etag   string // of the far end, as it sent it; "": it takes no PATCH
	answer string
}

func (i *iceSession) begin(etag, answer string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.etag, i.answer = etag, answer
}

func (i *iceSession) now() (etag, answer string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.etag, i.answer
}

// trickle tells the far end of the candidates that came after the offer had left, all in one PATCH (RFC 9725 4.3.2). What it
// answers changes nothing: one that takes none (405, 501, 422 …) finds those addresses by our checks from them.
func (h *half) trickle(s *signaller, offer string) {
	etag, _ := h.ice.now()
	if etag == "" || strings.Contains(offer, "a=end-of-candidates") {
		return
	}
	complete := webrtc.GatheringCompletePromise(h.pc)
	h.run(func() {
		select {
		case <-complete:
		case <-h.done:
			return
		}
		fragment := sdpFragment(finishOffer(h.pc.LocalDescription().SDP), offer)
		if !strings.Contains(fragment, "a=candidate:") {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), patchTimeout)
		defer cancel()
		h.run(func() { // the session's end does not wait for the answer
			select {
			case <-h.done:
				cancel()
			case <-ctx.Done():
			}
		})
		resp, body, _, err := s.do(ctx, call{http.MethodPatch, h.resource, typeSDPFrag, etag, fragment})
		if err == nil && resp.StatusCode/100 != 2 {
			err = readProblem("add candidates", resp, body, time.Now())
		}
		if err != nil {
			s.log.Debug("the far end was not told of late candidates", "error", err)
		}
	})
}

// canRestart reports whether the far end may take an ICE restart: one that sends no ETag takes no PATCH.
func (h *half) canRestart() bool {
	etag, _ := h.ice.now()
	return etag != ""
}

// restart looks for a new path for the same session (RFC 9725 4.3.3): what watches it at the far end need not begin anew. The
// old path is given up with the first step, so an error ends the session.
func (h *half) restart(ctx context.Context, s *signaller) error {
	ctx, cancel := context.WithTimeout(ctx, patchTimeout)
	defer cancel()
	offer, err := h.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
	if err != nil {
		return fmt.Errorf("restart ICE: %w", err)
	}
	text, err := h.gathered(ctx, offer, h.relays.patience())
	if err != nil {
		return fmt.Errorf("restart ICE: %w", err)
	}
	_, before := h.ice.now()
	answer, etag, err := s.restart(ctx, h.resource, sdpFragment(finishOffer(text), ""))
	if err != nil {
		return err
	}
	f, problem := parseFragment(answer)
	if problem != nil {
		return fmt.Errorf("restart ICE: the far end's answer is unusable: %w", problem)
	}
	if len(f.candidates) == 0 { // as the simple WHIP server of Debian answers: it is where it was
		f.candidates = candidatesOf(before)
	}
	full := restartOffer(before, f) // an answer is edited as an offer is
	err = h.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: reachPassive(full)})
	if err != nil {
		return fmt.Errorf("restart ICE: the far end's answer is unusable: %w", err)
	}
	h.ice.begin(etag, full)
	return nil
}

// candidatesOf are the first section's.
func candidatesOf(text string) (all []string) {
	sections := 0
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if strings.HasPrefix(line, "m=") {
			sections++
		}
		if sections == 1 && strings.HasPrefix(line, "a=candidate:") {
			all = append(all, line[2:])
		}
	}
	return all
}

// restart asks for an ICE restart. The standard's word is If-Match: *; a server that takes that for a name (it answers 204 as
// to candidates, or 412 or 428) is asked with "*" in quotes, as the simple WHIP server of Debian wants it.
func (s *signaller) restart(ctx context.Context, resource, fragment string) (answer, etag string, err error) {
	const doing = "restart ICE"
	for _, match := range []string{"*", `"*"`} {
		resp, body, _, err := s.do(ctx, call{http.MethodPatch, resource, typeSDPFrag, match, fragment})
		if err != nil {
			return "", "", fmt.Errorf("%s: %w", doing, err)
		}
		kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
		switch {
		case resp.StatusCode == http.StatusOK && kind == typeSDPFrag:
			return string(body), resp.Header.Get("ETag"), nil
		case resp.StatusCode/100 == 2, resp.StatusCode == http.StatusPreconditionFailed, resp.StatusCode == http.StatusPreconditionRequired:
			continue
		}
		return "", "", readProblem(doing, resp, body, time.Now())
	}
	return "", "", fmt.Errorf("%s: %w", doing, errNoRestart)
}
