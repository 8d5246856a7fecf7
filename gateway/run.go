package gateway

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"scanside/link"
	"scanside/media"
)

// run is one life of one box's agent, from its start to its end: one numbering of packets, hence one set of mergers. Its
// fields are guarded by the room's lock, but for what an uplink says of itself.
type run struct {
	box, id   string
	began     time.Time
	mergers   [media.NumKinds]*media.Merger
	gaps      [media.NumKinds]gapMeter
	uplinks   []*uplink // in order of first appearance
	published bool      // a session that brings media has come
	asked     int       // repair requests, to take turns

	acked [media.NumKinds]ack // the room's word on what goes back to it
	said  said                // and on its own picture and sound

	came [media.NumKinds]atomic.Int64 // arrival of the newest packet over any uplink, ns since 1970; 0: none yet
}

// back notes that kind k came in, and reports whether that ended a silence on all uplinks.
func (r *run) back(k media.Kind, now time.Time) bool {
	before := r.came[k].Swap(now.UnixNano())
	return before != 0 && now.UnixNano()-before > int64(flowing)
}

// maxUplinks is the number of links an agent can have (failover.MaxLinks).
const maxUplinks = 8

func newRun(box, id string, now time.Time, stages *[media.NumKinds]stage) *run {
	r := &run{box: box, id: id, began: now}
	for k := range r.mergers {
		r.mergers[k] = media.NewMerger(media.MergerConfig{Kind: media.Kind(k)}, stages[k].take())
	}
	return r
}

// uplink is one of the run's ways here: the session that brings the room's media and the one that takes the physician's
// back. It outlives its sessions, so that its counts go on when the agent dials again.
type uplink struct {
	name   string
	legs   [media.NumKinds]*media.MergerLeg
	last   [media.NumKinds]atomic.Int64 // arrival of the newest packet, ns since 1970; 0: none yet
	losses [media.NumKinds]lossMeter    // guarded by the room's lock

	bringing [media.NumKinds]atomic.Bool // see mirrorWindow; brings says it as it is now

	// guarded by the room's lock
	in      *link.Inbound
	out     *link.Outbound
	back    [media.NumKinds]*media.Leg // out's legs on the room's return fanouts
	carries [media.NumKinds]bool       // whether back is selected
	lost    time.Time                  // when the last session ended

	toRoom carried
}

func (r *run) uplink(name string) *uplink {
	for _, u := range r.uplinks {
		if u.name == name {
			return u
		}
	}
	return nil
}

func (r *run) addUplink(name string) *uplink {
	u := &uplink{name: name}
	for k, m := range r.mergers {
		u.legs[k] = m.AddLeg(name)
	}
	r.uplinks = append(r.uplinks, u)
	return u
}

// arrived says whether a packet of kind k came over u in the last d.
func (u *uplink) arrived(k media.Kind, now time.Time, d time.Duration) bool {
	at := u.last[k].Load()
	return at != 0 && now.UnixNano()-at <= int64(d)
}

// bringsPicture says whether the room's picture comes over u now.
func (u *uplink) bringsPicture(now time.Time) bool { return u.arrived(media.Video, now, mirrorWindow) }

// takesPicture says whether the talker's picture goes out over u now, as far as can be known here: u is alive.
func (u *uplink) takesPicture(now time.Time) bool {
	return u.out != nil && u.carries[media.Video] && u.in != nil && now.Sub(u.in.LastHeard()) < mirrorWindow
}

// take passes a packet to the run's merger. news is true when u begins to bring kind k: the way back must follow at once.
func (u *uplink) take(k media.Kind, p *rtp.Packet, now time.Time) (news bool) {
	before := u.last[k].Swap(now.UnixNano())
	u.legs[k].WriteRTP(p)
	return now.UnixNano()-before <= int64(mirrorWindow) && !u.bringing[k].Load() && !u.bringing[k].Swap(true)
}

// heard is when anything last came over u; the zero time: never.
func (u *uplink) heard() time.Time {
	var at time.Time
	if u.in != nil {
		at = u.in.LastHeard()
	}
	if u.out != nil {
		if o := u.out.LastHeard(); o.After(at) {
			at = o
		}
	}
	return at
}

func (u *uplink) connected() bool { return u.in != nil }

// heard is when the box was last heard over any uplink; a run that has just begun counts as heard.
func (r *run) heard() time.Time {
	at := r.began
	for _, u := range r.uplinks {
		for _, t := range []time.Time{u.heard(), u.lost} {
			if t.After(at) {
				at = t
			}
		}
	}
	return at
}

// publishing says whether a session brings media now.
func (r *run) publishing() bool {
	return slices.ContainsFunc(r.uplinks, func(u *uplink) bool { return u.in != nil })
}

// alive says whether the box was heard so recently that another one must not take its place.
func (r *run) alive(now time.Time) bool { return now.Sub(r.heard()) < boxAlive }

// best is the uplink over which kind k arrived last: the one most surely alive. After it the others that still bring it.
func (r *run) best(k media.Kind) (best *uplink, others []*uplink) {
	for _, u := range r.uplinks {
		switch {
		case u.in == nil:
		case best == nil:
			best = u
		case u.last[k].Load() > best.last[k].Load():
			best, others = u, append(others, best)
		default:
			others = append(others, u)
		}
	}
	return best, others
}

// leave takes every session off the run and returns them for the caller to close outside the room's lock.
func (r *run) leave() []closer {
	var all []closer
	for _, u := range r.uplinks {
		all = append(all, u.drop()...)
		for _, l := range u.legs {
			l.Close()
		}
	}
	return all
}

type closer interface{ Close() error }

func (u *uplink) drop() []closer {
	var all []closer
	if u.in != nil {
		all = append(all, u.in)
		u.in = nil
	}
	return append(all, u.dropOut()...)
}

func (u *uplink) dropOut() []closer {
	if u.out == nil {
		return nil
	}
	all := []closer{u.out}
	for k, l := range u.back {
		all = append(all, legCloser{l})
		u.back[k], u.carries[k] = nil, false
	}
	u.out = nil
	return all
}

// legCloser closes a fanout's leg among peers; it waits for the leg's goroutine, so it too must not be done under a lock.
type legCloser struct{ leg *media.Leg }

func (l legCloser) Close() error { l.leg.Close(); return nil }

// lossMeter is the share of packets missing on one leg over the last seconds, judged by the leg's own numbers: what it brought
// of what was between its first and its highest number. It means something only while the leg is given every packet.
type lossMeter struct {
	ring [lossSeconds]legPoint
	n    int
}

type legPoint struct{ received, highest uint64 }

// lossSeconds is long enough for 1 % of loss to show (500 packets of voice) and short enough to follow a change.
const lossSeconds = 10

// add takes one second's reading.
func (m *lossMeter) add(s media.MergerLegStats) {
	m.ring[m.n%lossSeconds] = legPoint{s.Received, uint64(s.Highest)}
	m.n++
}

// ratio is 0…1; false when there is nothing to judge by.
func (m *lossMeter) ratio(s media.MergerLegStats) (float64, bool) {
	if m.n == 0 {
		return 0, false
	}
	old := m.ring[max(m.n-lossSeconds, 0)%lossSeconds]
	span := int64(s.Highest) - int64(old.highest)
	if old.received == 0 || span < 20 {
		return 0, false
	}
	got := int64(s.Received) - int64(old.received)
	return min(max(1-float64(got)/float64(span), 0), 1), true
}

// gapMeter is the longest silence of a merged stream within the last minute.
type gapMeter struct {
	ring [60]time.Duration // one a second
	n    int
}

func (m *gapMeter) add(d time.Duration) {
	m.ring[m.n%len(m.ring)] = d
	m.n++
}

func (m *gapMeter) longest() time.Duration { return slices.Max(m.ring[:]) }
