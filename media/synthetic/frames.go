package synthetic

import (
	"time"

	"github.com/pion/rtp"

	"scanside/media"
)

// piece is what a Counter keeps of a packet.
type piece struct {
	num   uint64 // 0: no packet
	known bool   // frame and first are known, from a stamp or because a packet is a frame
	frame uint64
	ts    uint32 // else frames are told apart by RTP timestamp
	first bool   // of its frame, for certain
	last  bool
	key   bool
}

func (c *Counter) pieceOf(num uint64, p *rtp.Packet, st Stamp, stamped bool) piece {
	if c.kind == media.Voice {
		return piece{num: num, known: true, frame: num, first: true, last: true, key: true} // it needs none before it
	}
	if stamped {
		return piece{
			num: num, known: true, frame: st.Frame + 1, first: st.Index == 0, last: st.Index == st.Count-1, key: st.Key,
		}
	}
	return piece{
		num: num, ts: p.Timestamp, first: media.H264FrameStart(p.Payload), last: p.Marker, key: media.H264KeyFrame(p.Payload),
	}
}

// slot returns the piece with this number, nil if it did not arrive or is forgotten.
func (c *Counter) slot(num uint64) *piece {
	if p := &c.slots[num%window]; p.num == num {
		return p
	}
	return nil
}

// isFirst says whether p is the first piece of its frame. Without a stamp, the packet before knows best.
func (c *Counter) isFirst(p *piece) bool {
	if before := c.slot(p.num - 1); !p.known && before != nil {
		return before.last || before.ts != p.ts
	}
	return p.first
}

// measureStep learns the ticks from frame to frame, the least there are, from piece num and its neighbours.
func (c *Counter) measureStep(num uint64) {
	for n := num; n <= num+1; n++ {
		a, b := c.slot(n-1), c.slot(n)
		if a == nil || b == nil || !a.last || a.known {
			continue
		}
		if step := b.ts - a.ts; step > 0 && step < 1<<31 && (c.nominal == 0 || step < c.nominal) {
			c.nominal = step
		}
	}
}

func (p *piece) sameFrame(q *piece) bool {
	if p.known {
		return p.frame == q.frame
	}
	return p.ts == q.ts
}

// follow goes from the first piece of a frame to its last, below limit. It returns the number it came to, whether the frame is whole and a
// key frame, and whether it is damaged: neither means that limit came first.
func (c *Counter) follow(first *piece, limit uint64) (end uint64, whole, key, damaged bool) {
	for n := first.num; n < limit; n++ {
		p := c.slot(n)
		if p == nil || !p.sameFrame(first) {
			return n, false, false, true
		}
		key = key || p.key
		if p.last {
			return n, true, key, false
		}
	}
	return limit, false, false, false
}

// walk counts frames in the order of their numbers.
type walk struct {
	next                 uint64 // the number to look at next
	complete, lost, keys uint64

	prev    piece  // of the last frame that is accounted for
	owed    uint64 // 1: prev is to be accounted for too
	missing uint64 // packets since prev that did not arrive
	parts   uint64 // frames since prev of which something arrived but that are not whole; only without stamps
	partTS  uint32 // timestamp of the last of these
}

// walkFrom returns a walk that begins at number base; before is the piece before it, whose frame does not count, nil at the start of a run.
func (c *Counter) walkFrom(base uint64, before *piece) walk {
	w := walk{next: base}
	switch {
	case before != nil:
		w.prev = *before
	case c.isFirst(c.slot(base)):
		w.prev, w.owed = *c.slot(base), 1
	default: // we came in the middle of a frame
		w.prev = *c.slot(base)
	}
	return w
}

// walk counts what lies below limit. A frame that limit cuts off is left for later.
func (c *Counter) walk(w *walk, limit uint64) {
	for w.next < limit {
		p := c.slot(w.next)
		if p != nil && c.isFirst(p) {
			end, whole, key, damaged := c.follow(p, limit)
			if whole {
				w.whole(p, key, c.nominal)
				w.next = end + 1
				continue
			}
			if !damaged {
				return
			}
		}
		w.broken(p)
		w.next++
	}
}

// walkEnd counts what was lost between the last whole frame and the newest, which does not count yet.
func (c *Counter) walkEnd(w *walk, last uint64) {
	newest := c.slot(last)
	if newest == nil || newest.sameFrame(&w.prev) {
		return
	}
	parts := w.parts
	if parts > 0 && w.partTS == newest.ts {
		parts--
	}
	w.lost += w.between(newest, parts, c.nominal)
}

// whole accounts for a complete frame, and for what was lost before it.
func (w *walk) whole(p *piece, key bool, nominal uint32) {
	w.lost += w.between(p, w.parts, nominal)
	w.complete++
	if key {
		w.keys++
	}
	w.prev, w.owed, w.missing, w.parts = *p, 0, 0, 0
}

// between is how many frames were lost between prev and p. With frame numbers that is plain. Without, none is when no packet is missing; else
// the timestamps tell, nominal being the ticks from frame to frame, within what arrived and what is missing: at least the parts of frames, at
// most these and one frame for each missing packet.
func (w *walk) between(p *piece, parts uint64, nominal uint32) uint64 {
	if p.known {
		if p.frame <= w.prev.frame {
			return 0
		}
		return p.frame - w.prev.frame - 1 + w.owed
	}
	if w.missing == 0 {
		return 0
	}
	n := uint64(1)
	if steps := int32(p.ts - w.prev.ts); nominal > 0 && steps > 0 {
		n = (uint64(steps)+uint64(nominal)/2)/uint64(nominal) + w.owed
		n -= min(n, 1)
	}
	return min(max(n, parts), w.missing+parts)
}

// broken notes a number that belongs to no whole frame.
func (w *walk) broken(p *piece) {
	switch {
	case p == nil:
		w.missing++
	case p.known, p.sameFrame(&w.prev) && w.owed == 0, w.parts > 0 && p.ts == w.partTS:
	default:
		w.parts++
		w.partTS = p.ts
	}
}

// shown is what a decoder could show: frames in order, each after the one before it, or from a key frame on.
type shown struct {
	last    uint64 // number of the last piece of the last frame shown; 0: none yet
	needKey bool   // the first frame shown must be a key frame
}

// showFrom shows what can be shown now that piece num is here: its frame, if it is whole and its turn, and those that waited for it.
func (c *Counter) showFrom(num uint64, now time.Time) {
	first := c.slot(num)
	for !c.isFirst(first) {
		before := c.slot(first.num - 1)
		if before == nil || !before.sameFrame(first) {
			return
		}
		first = before
	}
	end, whole, key, _ := c.follow(first, c.highest+1)
	if !whole || !c.canShow(first.num, key) {
		return
	}
	for whole {
		c.shown.last = end
		c.sum.FramesShown++
		if c.end == nil {
			c.freeze.hit(now)
		}
		next := c.slot(end + 1)
		if next == nil || !c.isFirst(next) {
			return
		}
		end, whole, _, _ = c.follow(next, c.highest+1)
	}
}

// canShow says whether a whole frame that begins at number first can be shown.
func (c *Counter) canShow(first uint64, key bool) bool {
	switch {
	case key:
		return first > c.shown.last
	case c.shown.last == 0:
		return !c.shown.needKey
	}
	return first == c.shown.last+1
}
