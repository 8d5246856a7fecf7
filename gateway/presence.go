package gateway

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"scanside/media"
)

const (
	// deskBeat is how often an open console says that it is there.
	deskBeat = 2 * time.Second
	// deskGone is after how long without a word a console counts as closed: three beats lost, and one second of delay.
	deskGone = 7 * time.Second
	// maxDesks bounds a room's open consoles, connected or not.
	maxDesks = 64
)

// desk is one open console: a browser window that shows this room.
type desk struct {
	sess         *session
	id           string // chosen by the window
	since, heard time.Time
	sees, hears  bool // the window's own word
}

// Presence is what a box is told about the people at the far end. Version changes whenever anything else does, but for
// Time and HeardMS.
type Presence struct {
	Version     uint64     `json:"version"`
	Site        string     `json:"site"`
	Time        time.Time  `json:"time"`
	Present     bool       `json:"present"`     // at least one supervisor has the room open
	Supervisors []Attender `json:"supervisors"` // who, oldest first
	Observers   int        `json:"observers"`   // how many people of another role see the room
	Watchers    []Watcher  `json:"watchers"`    // everybody who is given the room's picture now
	Talk        *TalkState `json:"talk"`        // null: nobody talks
}

// Attender is a supervisor who has the room open, in one window or several.
type Attender struct {
	Name    string    `json:"name"`
	Role    Role      `json:"role"`
	Since   time.Time `json:"since"`
	HeardMS int64     `json:"heard_ms"` // age of the last word from one of the windows
	Sees    bool      `json:"sees"`     // a window says: a fresh picture is on a visible screen
	Hears   bool      `json:"hears"`    // a window says: sound plays
	Talking bool      `json:"talking"`
}

// Watcher is a person who is given the room's picture.
type Watcher struct {
	Name string `json:"name"`
	Role Role   `json:"role"`
}

// TalkState is who is seen and heard in the room, and whether anything of it arrives here.
type TalkState struct {
	Name  string    `json:"name"`
	Role  Role      `json:"role"`
	Since time.Time `json:"since"`
	Desk  string    `json:"-"`
	Voice bool      `json:"voice"` // packets arrived within the last second
	Video bool      `json:"video"`
}

// attend takes a window's word that it shows the room.
func (r *room) attend(sess *session, id string, sees, hears bool, now time.Time) bool {
	r.mu.Lock()
	i := slices.IndexFunc(r.desks, func(d *desk) bool { return d.sess == sess && d.id == id })
	if i < 0 && len(r.desks) < maxDesks && !r.closed {
		r.desks = append(r.desks, &desk{sess: sess, id: id, since: now})
		i = len(r.desks) - 1
	}
	if i >= 0 {
		d := r.desks[i]
		d.heard, d.sees, d.hears = now, sees, hears
	}
	r.mu.Unlock()
	r.review(now)
	return i >= 0
}

// depart takes a window's word that it no longer shows the room.
func (r *room) depart(sess *session, id string, now time.Time) {
	r.mu.Lock()
	r.desks = without(r.desks, func(d *desk) bool { return d.sess == sess && d.id == id })
	r.mu.Unlock()
	r.review(now)
}

// presence is who is there now; the lock is held.
func (r *room) presence(now time.Time) Presence {
	p := Presence{Site: r.site.ID, Time: now.UTC(), Supervisors: []Attender{}, Watchers: []Watcher{}}
	for _, d := range r.desks {
		if d.sess.user.Role == Supervisor {
			p.Supervisors = r.addAttender(p.Supervisors, d, now)
		}
	}
	if t := r.talk; t != nil && t.alive(now) { // who talks is there, whatever his window says
		p.Supervisors = r.addAttender(p.Supervisors, &desk{sess: t.sess, since: t.since, heard: t.in.LastHeard()}, now)
	}
	p.Present = len(p.Supervisors) > 0
	var observers []string
	for _, v := range r.viewers {
		w := Watcher{v.sess.user.DisplayName, v.sess.user.Role}
		if !v.live {
			continue
		}
		if !slices.Contains(p.Watchers, w) {
			p.Watchers = append(p.Watchers, w)
		}
		if w.Role != Supervisor && !slices.Contains(observers, v.sess.user.Name) {
			observers = append(observers, v.sess.user.Name)
		}
	}
	if to := r.passedOn(); to != "" { // the room is told that its picture goes on to people whom nobody here knows
		p.Watchers = append(p.Watchers, Watcher{"viewers of " + to, Observer})
	}
	p.Observers = len(observers)
	if t := r.talk; t != nil {
		p.Talk = &TalkState{
			Name: t.sess.user.DisplayName, Role: t.sess.user.Role, Since: t.since.UTC(), Desk: t.desk,
			Voice: t.arrived(media.Voice, now), Video: t.arrived(media.Video, now),
		}
	}
	return p
}

func (r *room) addAttender(all []Attender, d *desk, now time.Time) []Attender {
	user := d.sess.user
	ms := now.Sub(later(d.heard, d.since)).Milliseconds()
	for i := range all {
		if a := &all[i]; a.Name == user.DisplayName {
			a.HeardMS = min(a.HeardMS, ms)
			a.Sees, a.Hears = a.Sees || d.sees, a.Hears || d.hears
			return all
		}
	}
	return append(all, Attender{
		Name: user.DisplayName, Role: user.Role, Since: d.since.UTC(), HeardMS: ms, Sees: d.sees, Hears: d.hears,
		Talking: r.talk != nil && r.talk.sess.user.Name == user.Name,
	})
}

// review drops windows that fell silent, ends a talk to a box that has long been away, and tells those who wait when who is
// there has changed.
func (r *room) review(now time.Time) {
	var over []closer
	defer func() { r.ends.close(over) }() // after the lock
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.talk != nil && now.Sub(r.talkHeld()) > talkKept {
		over = r.endTalk()
	}
	r.desks = without(r.desks, func(d *desk) bool { return now.Sub(d.heard) > deskGone || d.sess.over() })
	r.notice.set(r.presence(now))
}

// notice is the last word on who is there, and lets many wait for the next.
type notice struct {
	mu      sync.Mutex
	is      Presence // without what changes all the time
	changed chan struct{}
}

func newNotice(site string) *notice {
	return &notice{is: Presence{Version: 1, Site: site, Supervisors: []Attender{}, Watchers: []Watcher{}}, changed: make(chan struct{})}
}

// set takes the present state; it wakes those who wait only if something but ages changed.
func (n *notice) set(p Presence) {
	p.Time = time.Time{}
	p.Supervisors = slices.Clone(p.Supervisors)
	for i := range p.Supervisors {
		p.Supervisors[i].HeardMS = 0
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	p.Version = n.is.Version
	if reflect.DeepEqual(p, n.is) {
		return
	}
	p.Version++
	n.is = p
	close(n.changed)
	n.changed = make(chan struct{})
}

// touch wakes those who wait: something that stands in no presence has changed.
func (n *notice) touch() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.is.Version++
	close(n.changed)
	n.changed = make(chan struct{})
}

func (n *notice) version() (uint64, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.is.Version, n.changed
}

// await returns the presence as soon as its version is not after, or when wait has passed or ctx is done.
func (r *room) await(ctx context.Context, after uint64, wait time.Duration) Presence {
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		for version, changed := r.notice.version(); version == after; version, changed = r.notice.version() {
			select {
			case <-changed:
				continue
			case <-timer.C:
			case <-ctx.Done():
			}
			break
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.presence(time.Now())
	p.Version, _ = r.notice.version()
	return p
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
