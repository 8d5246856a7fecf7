package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"scanside/link"
	"scanside/media"
)

// caller is what a box says of itself with each session it opens.
type caller struct{ uplink, box, run string }

// maxWord bounds a box's, a run's and an uplink's name.
const maxWord = 64

func callerOf(req *http.Request) (caller, *link.Problem) {
	q := req.URL.Query()
	c := caller{q.Get("uplink"), q.Get("box"), q.Get("run")}
	if c.uplink == "" {
		c.uplink = "link" // a plain WHIP client
	}
	for _, w := range []struct{ name, value string }{{"uplink", c.uplink}, {"box", c.box}, {"run", c.run}} {
		if len(w.value) > maxWord || strings.ContainsFunc(w.value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return c, problem(http.StatusBadRequest, "bad-request", "The session's name is not understood.",
				fmt.Sprintf("query parameter %s must be at most %d printable characters without spaces", w.name, maxWord))
		}
	}
	return c, nil
}

// publish opens the session that brings the room's media over one uplink.
func (r *room) publish(api *link.API, c caller, offer string) (link.Peer, string, error) {
	if p := r.refuse(c, time.Now()); p != nil {
		return nil, "", p
	}
	seat := &seat{room: r}
	in, answer, err := api.AcceptPublish(offer, link.PublishEvents{
		Packet:    seat.packet,
		Report:    seat.report,
		Word:      seat.word,
		Sent:      seat.sent,
		Faults:    seat.faults,
		Connected: seat.connected,
	})
	if err != nil {
		return nil, "", err
	}
	if p := r.seatIn(c, seat, in); p != nil {
		r.ends.close([]closer{in})
		return nil, "", p
	}
	r.ends.wg.Go(func() { <-in.Done(); r.left(seat, in) })
	return in, answer, nil
}

// play opens the session that takes the physician's media to the box over one uplink.
func (r *room) play(api *link.API, c caller, offer string) (link.Peer, string, error) {
	if p := r.refuse(c, time.Now()); p != nil {
		return nil, "", p
	}
	seat := &seat{room: r}
	out, answer, err := api.AcceptPlay(offer, "return", link.PlayEvents{
		KeyFrame:  func() { r.askTalkKeyFrame(time.Now()) },
		Repair:    seat.repair,
		Rate:      seat.rate,
		Connected: seat.returning,
	})
	if err != nil {
		return nil, "", err
	}
	if p := r.seatOut(c, seat, out); p != nil {
		r.ends.close([]closer{out})
		return nil, "", p
	}
	r.ends.wg.Go(func() { <-out.Done(); r.leftOut(seat, out) })
	return out, answer, nil
}

// runOf is the run of a caller that names none, a plain WHIP client: it numbers its packets anew with each session, so each
// session that brings media is a run, and one that plays belongs to the one that brings or is about to. The lock is held.
func (r *room) runOf(c caller, publisher bool) string {
	if c.run != "" {
		return c.run
	}
	if r.run != nil && r.run.box == c.box && (!r.run.published || !publisher && r.run.publishing()) {
		return r.run.id
	}
	return "session-" + newSecret()[:8]
}

// refuse says why a box may not come in now; nil: it may.
func (r *room) refuse(c caller, now time.Time) *link.Problem {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refusal(c, now)
}

func (r *room) refusal(c caller, now time.Time) *link.Problem {
	if r.closed {
		return problem(http.StatusServiceUnavailable, "closing", "The gateway is stopping.", "try again in a few seconds")
	}
	if slices.Contains(r.retired, c.box+"\x00"+c.run) {
		return problem(http.StatusConflict, "old-run", "This run of the agent has been replaced by a newer one.",
			"a newer agent of the same box serves the site; this one should stop")
	}
	run := r.run
	if run == nil {
		return nil
	}
	if run.box != c.box && run.alive(now) {
		p := problem(http.StatusConflict, "other-box", fmt.Sprintf("Site %s is served by another box.", r.site.ID),
			fmt.Sprintf("box %q was heard %.1f s ago; box %q may take the site once the other has been silent for %.0f s. "+
				"Stop one of them, or give it a site of its own.", run.box, now.Sub(run.heard()).Seconds(), c.box, boxAlive.Seconds()))
		p.After = boxAlive
		return p
	}
	if run.box == c.box && run.id == c.run && run.uplink(c.uplink) == nil && len(run.uplinks) >= maxUplinks {
		return problem(http.StatusConflict, "uplinks", "The box has too many uplinks already.",
			fmt.Sprintf("at most %d are merged", maxUplinks))
	}
	return nil
}

// admit finds or begins the caller's run and gives its uplink. The lock is held; over is for the caller to close.
func (r *room) admit(c caller, publisher bool, now time.Time) (u *uplink, over []closer, p *link.Problem) {
	c.run = r.runOf(c, publisher)
	if p := r.refusal(c, now); p != nil {
		return nil, nil, p
	}
	if r.run != nil && (r.run.box != c.box || r.run.id != c.run) {
		over = r.retire(c.box)
	}
	if r.run == nil {
		r.run = newRun(c.box, c.run, now, &r.out)
		r.sums.runs++
		r.log.Info("a box's agent has come", "box", c.box, "run", c.run)
	}
	u = r.run.uplink(c.uplink)
	if u == nil {
		u = r.run.addUplink(c.uplink)
	}
	return u, over, nil
}

// maxRetired is how many replaced runs are remembered, so that a late request of an old agent cannot push the new one out.
const maxRetired = 16

func (r *room) retire(by string) []closer {
	old := r.run
	if old.box == by { // another box may lose the site again, and then this run is welcome
		r.retired = append(r.retired, old.box+"\x00"+old.id)
		r.retired = r.retired[max(len(r.retired)-maxRetired, 0):]
	}
	r.sums.add(old)
	r.run = nil
	return old.leave()
}

func (r *room) seatIn(c caller, s *seat, in *link.Inbound) *link.Problem {
	now := time.Now()
	r.mu.Lock()
	u, over, p := r.admit(c, true, now)
	if p == nil {
		if u.in != nil {
			over = append(over, u.in) // the agent dialled this uplink again
		}
		u.in = in
		r.run.published = true
		s.run = r.run
		s.up.Store(u) // from here on the callbacks see both
		r.sums.sessions++
	}
	r.mu.Unlock()
	r.ends.close(over)
	r.stir()
	return p
}

func (r *room) seatOut(c caller, s *seat, out *link.Outbound) *link.Problem {
	now := time.Now()
	r.mu.Lock()
	u, over, p := r.admit(c, false, now)
	if p == nil {
		over = append(over, u.dropOut()...)
		u.out = out
		for k := range u.back {
			u.back[k] = r.back[k].fan.AddLeg(c.uplink, out.Leg(media.Kind(k)))
		}
		s.run = r.run
		s.up.Store(u) // from here on the callbacks see both
	}
	r.mu.Unlock()
	r.ends.close(over)
	r.stir()
	return p
}

// left notes that the session which brought u's media is over.
func (r *room) left(s *seat, in *link.Inbound) {
	r.mu.Lock()
	if u := s.up.Load(); u.in == in {
		u.lost, u.in = in.LastHeard(), nil
	}
	r.mu.Unlock()
	r.stir()
}

func (r *room) leftOut(s *seat, out *link.Outbound) {
	r.mu.Lock()
	var over []closer
	if u := s.up.Load(); u.out == out {
		over = u.dropOut()
	}
	r.mu.Unlock()
	r.ends.close(over)
	r.stir()
}

// seat is what one of a box's sessions calls back on. It is made before the room has admitted the session, so that a bad
// offer cannot push out a good run, and is filled before the answer leaves, so that no packet can come earlier.
type seat struct {
	room *room
	run  *run
	up   atomic.Pointer[uplink]
}

func (s *seat) packet(k media.Kind, p *rtp.Packet) {
	u := s.up.Load()
	if u == nil {
		return
	}
	now := time.Now()
	if u.take(k, p, now) {
		s.room.stir()
	}
	if s.run.back(k, now) {
		s.room.backAgain(k, now)
	}
}

func (s *seat) connected() {
	if now := time.Now(); !s.room.othersLive(s.up.Load(), now, (*uplink).bringsPicture) {
		s.room.askKeyFrameIfWatched(now)
	}
	s.room.stir()
}

func (s *seat) returning() {
	if now := time.Now(); !s.room.othersLive(s.up.Load(), now, (*uplink).takesPicture) {
		s.room.askTalkKeyFrame(now)
	}
}

// othersLive says whether the picture goes over another uplink than u now, by what is asked of each. A new leg then needs no
// key frame: it brings the same packets, and a key frame is five pictures' worth of bits on links that have just been in trouble.
func (r *room) othersLive(u *uplink, now time.Time, goes func(*uplink, time.Time) bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.run != nil && slices.ContainsFunc(r.run.uplinks, func(o *uplink) bool { return o != u && goes(o, now) })
}

// repair answers the box's own requests from the return fanout's ring, on the leg where they came.
func (s *seat) repair(k media.Kind, seqs []uint16) {
	u := s.up.Load()
	if u == nil {
		return
	}
	s.room.mu.Lock()
	leg := u.back[k]
	s.room.mu.Unlock()
	if leg != nil {
		leg.Resend(seqs)
	}
}

// report is the gateway's word in the answer to a probe: what arrived of each stream, over all of the run's uplinks.
func (s *seat) report() []link.StreamReport {
	u := s.up.Load()
	if u == nil {
		return nil
	}
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	return s.run.report()
}

func (r *run) report() []link.StreamReport {
	all := make([]link.StreamReport, 0, media.NumKinds)
	for k, m := range r.mergers {
		st := m.Stats()
		one := link.StreamReport{
			Kind: media.Kind(k), Highest: st.Highest, Received: uint32(st.Received), Lost: uint32(st.Lost),
			LongestGap: st.LongestGap, RecentGap: st.RecentGap,
		}
		for _, u := range r.uplinks {
			ls := u.legs[k].Stats()
			one.Legs = append(one.Legs, link.LegReport{Uplink: u.name, Received: uint32(ls.Received), Highest: ls.Highest})
		}
		all = append(all, one)
	}
	return all
}
