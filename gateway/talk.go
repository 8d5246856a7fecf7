package gateway

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"scanside/link"
	"scanside/media"
)

// talk is one supervisor's turn to be seen and heard in the room. There is one at a time. It ends with its connection and
// never begins by itself: a connection that is made again is a new turn, which a person has to ask for.
type talk struct {
	sess    *session
	desk    string
	since   time.Time
	in      *link.Inbound
	mergers [media.NumKinds]*media.Merger
	legs    [media.NumKinds]*media.MergerLeg
	last    [media.NumKinds]atomic.Int64 // arrival of the newest packet, ns since 1970
	asked   time.Time                    // when he was last told what the ways to the room carry
	held    bool                         // they have shown a limit, and he was told
	before  [media.NumKinds]uint64       // the last number to the room that is not this talk's; 0: there was none
}

func (t *talk) arrived(k media.Kind, now time.Time) bool {
	at := t.last[k].Load()
	return at != 0 && now.UnixNano()-at <= int64(flowing)
}

// alive says whether the talker's connection still brings anything, or has only just been made.
func (t *talk) alive(now time.Time) bool {
	heard := t.in.LastHeard()
	if heard.Before(t.since) {
		heard = t.since
	}
	return now.Sub(heard) < talkAlive
}

// talkAlive is how long a talker who fell silent keeps his turn: a connection takes up to about 2 s to stand.
const talkAlive = 5 * time.Second

// talkKept is for how long a talk waits for a box that is away. When the box is back later than that, the room must not be
// spoken into by somebody who has long stopped thinking of it.
const talkKept = 30 * time.Second

// talkHeld is when there last was a reason to keep the talk: word from the box, or the talk's own begin. The lock is held.
func (r *room) talkHeld() time.Time {
	if r.run == nil {
		return r.talk.since
	}
	return later(r.run.heard(), r.talk.since)
}

// speak opens a talker's session.
func (r *room) speak(api *link.API, sess *session, desk, offer string, takeover bool) (link.Peer, string, error) {
	if p := r.taken(time.Now(), takeover); p != nil {
		return nil, "", p
	}
	t := &talk{sess: sess, desk: desk, since: time.Now()}
	var on atomic.Bool // set when the stage is the talker's
	in, answer, err := api.AcceptPublish(offer, link.PublishEvents{
		Packet: func(k media.Kind, p *rtp.Packet) {
			if on.Load() {
				t.last[k].Store(time.Now().UnixNano())
				t.legs[k].WriteRTP(p)
			}
		},
		Connected: func() { r.review(time.Now()) },
	})
	if err != nil {
		return nil, "", err
	}
	t.in = in
	if p := r.giveFloor(t, takeover); p != nil {
		r.ends.close([]closer{in})
		return nil, "", p
	}
	on.Store(true)
	r.ends.wg.Go(func() { <-in.Done(); r.talkOver(t) })
	return in, answer, nil
}

// taken says who talks, if that keeps another from talking.
func (r *room) taken(now time.Time, takeover bool) *link.Problem {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.floorProblem(now, takeover)
}

func (r *room) floorProblem(now time.Time, takeover bool) *link.Problem {
	if r.closed {
		return problem(http.StatusServiceUnavailable, "closing", "The gateway is stopping.", "try again in a few seconds")
	}
	if r.talk == nil || takeover || !r.talk.alive(now) {
		return nil
	}
	return problem(http.StatusConflict, "talking", fmt.Sprintf("%s is talking in this room.", r.talk.sess.user.DisplayName),
		fmt.Sprintf("since %s; one person talks at a time. Take over with ?takeover=1.", r.talk.since.UTC().Format(time.RFC3339)))
}

func (r *room) giveFloor(t *talk, takeover bool) *link.Problem {
	now := time.Now()
	r.mu.Lock()
	p := r.floorProblem(now, takeover)
	if p == nil && t.sess.over() {
		p = problem(http.StatusUnauthorized, "signed-out", "You have been signed out.", "sign in again")
	}
	var over []closer
	if p == nil {
		if r.talk != nil {
			over = r.endTalk()
		}
		r.talk = t
		r.sums.talks++
		for k := range t.mergers {
			t.before[k] = r.back[k].fan.Stats().Highest
			t.mergers[k] = media.NewMerger(media.MergerConfig{Kind: media.Kind(k)}, r.back[k].take())
			t.legs[k] = t.mergers[k].AddLeg("talk")
		}
		r.log.Info("a supervisor talks in the room", "user", t.sess.user.Name, "takeover", len(over) > 0)
	}
	r.mu.Unlock()
	r.ends.close(over)
	r.stir()
	r.review(now)
	return p
}

// endTalk takes the turn away; the lock is held. From here on nothing more of the talker reaches the room.
func (r *room) endTalk() []closer {
	t := r.talk
	r.talk = nil
	for k := range r.back {
		r.back[k].take()
		t.legs[k].Close()
	}
	r.sums.addTalk(t)
	r.log.Info("the supervisor no longer talks in the room", "user", t.sess.user.Name)
	return []closer{t.in}
}

func (r *room) talkOver(t *talk) {
	r.mu.Lock()
	var over []closer
	if r.talk == t {
		over = r.endTalk()
	}
	r.mu.Unlock()
	r.ends.close(over)
	r.review(time.Now())
}
