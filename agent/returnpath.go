package agent

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"scanside/failover"
	"scanside/link"
	"scanside/media"
)

const (
	repairEvery = 20 * time.Millisecond  // how often a merger is asked what it misses: one frame of voice
	bringing    = time.Second            // an uplink brings a stream if it did within this time
	otherLives  = 300 * time.Millisecond // as media's merger: a leg is alive for this long after a packet
)

// returnPath merges what comes into the room and hands it to the room's screens. Packets go straight from the links'
// goroutines through the mergers; nothing here waits for the loop.
//
// A far end that restarted numbers its packets anew, and a merger would take them for old. So mergers have a generation: the
// first packet of a newly dialled link begins one, unless another link is bringing packets at that moment, which proves that
// the far end is the one we know.
type returnPath struct {
	out  [media.NumKinds]*media.Fanout // to the room's screens
	mu   sync.Mutex
	now  *generation
	past [media.NumKinds]media.MergerStats // of earlier generations
	from [failover.MaxLinks]*arrivals
	all  map[*arrivals]bool // also of links that are being dialled
	asks uint64             // requests for repair

	begun time.Time
	took  [media.NumKinds]atomic.Int64 // when the room last got a packet, nanoseconds since begun; 0: never
}

// generation is the mergers for one numbering of the far end's.
type generation struct {
	merged [media.NumKinds]*media.Merger
	over   atomic.Bool
}

func newReturnPath() *returnPath {
	r := &returnPath{all: map[*arrivals]bool{}, begun: time.Now()}
	for k := range r.out {
		r.out[k] = media.NewFanout(media.FanoutConfig{Kind: media.Kind(k)})
	}
	r.now = r.begin()
	return r
}

// begin makes mergers whose packets go on where the earlier ones' ended.
func (r *returnPath) begin() *generation {
	g := &generation{}
	for k := range g.merged {
		out, took := r.out[k], &r.took[k]
		out.Rebase()
		g.merged[k] = media.NewMerger(media.MergerConfig{Kind: media.Kind(k)}, media.SinkFunc(func(p *rtp.Packet) error {
			if g.over.Load() {
				return nil
			}
			took.Store(int64(max(time.Since(r.begun), 1)))
			return out.WriteRTP(p)
		}))
	}
	return g
}

// arrivals is what one link brings, one merger leg for each kind.
type arrivals struct {
	back  *returnPath
	link  failover.Link
	name  string
	fresh atomic.Bool // no packet came yet
	legs  [media.NumKinds]atomic.Pointer[media.MergerLeg]

	session *link.Session // nil until it is open; under returnPath.mu
	in      *generation   // whose legs these are; under returnPath.mu
	counted [media.NumKinds]uint64

	carries atomic.Int64 // bit/s, as the loop knows; 0: no limit was shown
	asked   time.Time    // when the far end was last told; under returnPath.mu
}

// link makes a place for a link that is being dialled: packets can come before Dial returns.
func (r *returnPath) link(l failover.Link, name string) *arrivals {
	a := &arrivals{back: r, link: l, name: name}
	a.fresh.Store(true)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all[a] = true
	a.join(r.now)
	return a
}

func (a *arrivals) join(g *generation) {
	a.in = g
	for k, m := range g.merged {
		if old := a.legs[k].Swap(m.AddLeg(a.name)); old != nil {
			a.counted[k] += old.Stats().Received
			old.Close()
		}
	}
}

// take is called by the link for every packet.
func (a *arrivals) take(k media.Kind, p *rtp.Packet) {
	if a.fresh.Load() && a.fresh.Swap(false) {
		a.back.first(a)
	}
	a.legs[k].Load().WriteRTP(p)
}

// first decides whether a new link's first packet begins a generation.
func (r *returnPath) first(a *arrivals) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.all[a] {
		return // closed meanwhile
	}
	idle := true
	for k, m := range r.now.merged {
		idle = idle && m.Stats().Received == 0
		for other := range r.all {
			if other != a && time.Since(other.legs[k].Load().Stats().LastArrival) < otherLives {
				return
			}
		}
	}
	if idle {
		return
	}
	r.next()
	for one := range r.all { // a link that is still being dialled must not stay behind: its first packet would find a alive
		one.join(r.now)
	}
}

// next ends the present generation and begins another. The caller holds mu.
func (r *returnPath) next() {
	r.now.over.Store(true)
	for k, m := range r.now.merged {
		add(&r.past[k], m.Stats())
	}
	r.now = r.begin()
}

// leave begins a generation with nobody in it: the room moves to another far end, and what the one it left still sends goes
// nowhere.
func (r *returnPath) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next()
	clear(r.all)
	clear(r.from[:])
}

// renew begins a generation with everybody in it: what comes is numbered anew from now on.
func (r *returnPath) renew() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next()
	for a := range r.all {
		a.join(r.now)
	}
}

func add(sum *media.MergerStats, s media.MergerStats) {
	sum.Received += s.Received
	sum.Duplicate += s.Duplicate
	sum.Late += s.Late
	sum.Stale += s.Stale
	sum.Lost += s.Lost + s.Missing
	sum.Repaired += s.Repaired
	sum.RepairsAsked += s.RepairsAsked
	sum.LongestGap, sum.RecentGap = max(sum.LongestGap, s.LongestGap), s.RecentGap
}

// stats is what came of kind since the start, over all generations.
func (r *returnPath) stats(k media.Kind) media.MergerStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, sum := r.now.merged[k].Stats(), r.past[k]
	missing, highest := s.Missing, s.Highest
	s.Missing = 0
	add(&sum, s)
	sum.Missing, sum.Highest = missing, highest
	return sum
}

// wordWorth is how long after the last packet the room's word is still sent: the far end would not send again what is older.
const wordWorth = 5 * time.Second

// word is what the room has received of each stream that comes back, for the far end. Any goroutine may call it.
func (r *returnPath) word() []link.StreamReport {
	r.mu.Lock()
	g := r.now
	r.mu.Unlock()
	var all []link.StreamReport
	for k, m := range g.merged {
		if time.Since(r.came(media.Kind(k))) > wordWorth {
			continue
		}
		st := m.Stats()
		all = append(all, link.StreamReport{
			Kind: media.Kind(k), Highest: st.Highest, Received: uint32(st.Received), Lost: uint32(st.Lost),
			LongestGap: st.LongestGap, RecentGap: st.RecentGap,
		})
	}
	return all
}

// last is when a link last brought kind to the present generation; zero: never. What an earlier one gets reaches nobody.
func (r *returnPath) last(l failover.Link, k media.Kind) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a := r.from[l]; a != nil && a.in == r.now {
		return a.legs[k].Load().Stats().LastArrival
	}
	return time.Time{}
}

// came is when the room last got a packet of kind that it had not had; zero: never.
func (r *returnPath) came(k media.Kind) time.Time {
	if at := r.took[k].Load(); at > 0 {
		return r.begun.Add(time.Duration(at))
	}
	return time.Time{}
}

func (a *arrivals) open(s *link.Session) {
	a.back.mu.Lock()
	defer a.back.mu.Unlock()
	a.session = s
	a.back.from[a.link] = a
}

// close forgets a link that is over, or that was never opened.
func (a *arrivals) close() {
	r := a.back
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, a)
	if r.from[a.link] == a {
		r.from[a.link] = nil
	}
	for k := range a.legs {
		a.legs[k].Load().Close()
	}
}

// freshest is the link that brought kind last, the one over which asking for more of it makes most sense. Every second time
// it is another one that lives, so that a link which is dead in one direction cannot swallow every request.
func (r *returnPath) freshest(k media.Kind) *link.Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asks++
	var best, second *link.Session
	var last time.Time
	for _, a := range r.from {
		if a == nil || !a.session.Playing() {
			continue
		}
		switch at := a.legs[k].Load().Stats().LastArrival; {
		case best == nil || at.After(last):
			best, second, last = a.session, best, at
		default:
			second = a.session
		}
	}
	if r.asks%2 == 0 && second != nil {
		return second
	}
	return best
}

// Run asks for what is missing until ctx ends.
func (r *returnPath) Run(ctx context.Context) error {
	tick := time.NewTicker(repairEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			r.repair(now)
			r.askRates(now)
		}
	}
}

func (r *returnPath) repair(now time.Time) {
	r.mu.Lock()
	g := r.now
	r.mu.Unlock()
	for k, m := range g.merged {
		if seqs := m.Repairs(now); len(seqs) > 0 {
			if s := r.freshest(media.Kind(k)); s != nil {
				s.AskRepair(media.Kind(k), seqs)
			}
		}
	}
}

// askKeyFrame asks the far end for a whole picture of the physician.
func (r *returnPath) askKeyFrame() {
	if s := r.freshest(media.Video); s != nil {
		s.AskKeyFrame()
	}
}
