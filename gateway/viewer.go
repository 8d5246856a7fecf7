package gateway

import (
	"net/http"
	"time"

	"scanside/link"
	"scanside/media"
)

// maxViewers is per room. A room has a supervisor, a backup and perhaps a trainee; the rest is somebody's mistake.
const maxViewers = 32

// viewer is one console that is given the room's picture and sound.
type viewer struct {
	sess  *session
	desk  string
	out   *link.Outbound
	legs  [media.NumKinds]*media.Leg
	since time.Time
	live  bool      // connected; guarded by the room's lock
	asked time.Time // when a key frame was last asked for its first picture; guarded likewise
}

// askAgain is how long a viewer waits for its first picture before the request, or the key frame, is taken for lost: a round trip, and some
// pictures' time. Browsers do not ask before they have got anything.
const askAgain = time.Second

// watch opens a viewer's session. It gets media from the moment its connection stands: sound at once, the picture from the
// next key frame, which is asked for at that moment. Nothing kept from before is shown to it.
func (r *room) watch(api *link.API, sess *session, desk, offer string) (link.Peer, string, error) {
	v := &viewer{sess: sess, desk: desk, since: time.Now()}
	ready := make(chan struct{}) // v is complete
	out, answer, err := api.AcceptPlay(offer, "room", link.PlayEvents{
		KeyFrame:  func() { r.askKeyFrame(time.Now()) },
		Repair:    func(k media.Kind, seqs []uint16) { <-ready; v.legs[k].Resend(seqs) },
		Connected: func() { <-ready; r.viewing(v) },
	})
	if err != nil {
		return nil, "", err
	}
	v.out = out
	for k := range v.legs {
		v.legs[k] = r.out[k].fan.AddViewer("viewer", out.Leg(media.Kind(k)))
	}
	close(ready)
	if p := r.seatViewer(v); p != nil {
		r.ends.close(v.all())
		return nil, "", p
	}
	r.ends.wg.Go(func() { <-out.Done(); r.viewerLeft(v) })
	return out, answer, nil
}

func (v *viewer) all() []closer {
	all := []closer{v.out}
	for _, l := range v.legs {
		all = append(all, legCloser{l})
	}
	return all
}

func (r *room) seatViewer(v *viewer) *link.Problem {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return problem(http.StatusServiceUnavailable, "closing", "The gateway is stopping.", "try again in a few seconds")
	case v.sess.over():
		return problem(http.StatusUnauthorized, "signed-out", "You have been signed out.", "sign in again")
	case len(r.viewers) >= maxViewers:
		return problem(http.StatusServiceUnavailable, "full", "The room has too many viewers.", "close a console that nobody looks at")
	}
	r.viewers = append(r.viewers, v)
	return nil
}

func (r *room) viewing(v *viewer) {
	r.mu.Lock()
	now := time.Now()
	v.live, v.asked = true, now
	r.mu.Unlock()
	v.legs[media.Voice].Select(true)
	v.legs[media.Video].SelectAtKeyFrame()
	r.askKeyFrame(now)
	r.review(now)
}

func (r *room) viewerLeft(v *viewer) {
	r.mu.Lock()
	r.viewers = without(r.viewers, func(o *viewer) bool { return o == v })
	for k, l := range v.legs {
		r.sums.viewerDropped[k] += l.Stats().Dropped
	}
	r.mu.Unlock()
	r.ends.close(v.all())
	r.review(time.Now())
}

// askKeyFrameIfWatched asks for a key frame when somebody waits for a picture: a new link's first picture is then whole.
func (r *room) askKeyFrameIfWatched(now time.Time) {
	if r.watched() {
		r.askKeyFrame(now)
	}
}

func (r *room) watched() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.viewers) > 0 || r.passedOn() != ""
}

// askForWaiting asks again for those whose first picture does not come.
func (r *room) askForWaiting(now time.Time) {
	r.mu.Lock()
	waits := false
	for _, v := range r.viewers {
		if v.live && v.legs[media.Video].Waits() && now.Sub(v.asked) >= askAgain {
			v.asked, waits = now, true
		}
	}
	r.mu.Unlock()
	if waits {
		r.askKeyFrame(now)
	}
}
