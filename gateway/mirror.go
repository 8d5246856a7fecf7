package gateway

import (
	"sync"
	"time"

	"scanside/link"
	"scanside/media"
)

// mirrorWindow: the return media of a kind goes on exactly the uplinks that bring this kind, which an uplink does from the
// second of two packets within the window until there was none for as long. One packet alone is no sign: a leg that carries
// nothing sends one now and then to keep SRTP's count (media.Leg). The window is the longest silence that a link in use
// shows (voice at 30 % loss: 16 packets, 320 ms, is the once-in-a-month run).
const mirrorWindow = 300 * time.Millisecond

// How much is sent again on an uplink that begins to carry the return media: what the room has not acknowledged, but no more
// than it could still use. Beyond, a fresh key frame costs less than the past.
const (
	replayVoice = 50  // packets: 1 s
	replayVideo = 400 // packets: 1.6 s at 2.5 Mbit/s
	// replayTrip is how long after a replay has left key frames are not asked for: until what the room asked for before it
	// had all can no longer arrive. A cellular round trip.
	replayTrip = 100 * time.Millisecond
)

// ack is the room's last word on one return stream: up to which number it came. Any goroutine may use it.
type ack struct {
	mu      sync.Mutex
	at      time.Time // zero: never
	highest uint16
}

// overtaken is how long a word may be under way longer than one that was sent after it over another uplink.
const overtaken = time.Second

func (a *ack) take(now time.Time, highest uint16) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.at.IsZero() && int16(highest-a.highest) < 0 && now.Sub(a.at) < overtaken {
		return // older than what we have
	}
	a.at, a.highest = now, highest
}

func (a *ack) last() (highest uint16, known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.highest, !a.at.IsZero()
}

// word takes in what the room has of the return media; a probe over any uplink brings it.
func (s *seat) word(reports []link.StreamReport) {
	if s.up.Load() == nil {
		return
	}
	now := time.Now()
	for _, one := range reports {
		s.run.acked[one.Kind].take(now, uint16(one.Highest))
	}
}

// brings says whether kind k comes over u now. When it has ceased to, it takes two packets to begin again.
func (u *uplink) brings(k media.Kind, now time.Time) bool {
	if !u.bringing[k].Load() {
		return false
	}
	if u.arrived(k, now, mirrorWindow) {
		return true
	}
	u.bringing[k].Store(false)
	return false
}

// mirror sends the return media of each kind on exactly the uplinks that bring this kind now, and on all when none does. An
// uplink that begins to carry them is sent first what the room does not have yet.
func (r *room) mirror(now time.Time) {
	if r.follow(now) {
		r.askTalkKeyFrame(now)
	}
}

// follow reports whether so much of the picture is missing that a key frame must bring it back.
func (r *room) follow(now time.Time) (late bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.run == nil {
		return false
	}
	for k := range media.Kind(media.NumKinds) {
		var on [maxUplinks]bool
		any := false
		for i, u := range r.run.uplinks {
			on[i] = u.brings(k, now)
			any = any || on[i]
		}
		for i, u := range r.run.uplinks {
			if carry := on[i] || !any; u.back[k] != nil && carry != u.carries[k] {
				u.carries[k] = carry
				u.back[k].Select(carry)
				late = carry && r.replay(k, u, now) || late
			}
		}
	}
	return late
}

// replay sends on an uplink that has just begun to carry a return stream what the room has not acknowledged: if another
// uplink brings it after all, the room drops the copies. Nothing from before the talk is sent. late: it is too much. The lock
// is held.
func (r *room) replay(k media.Kind, u *uplink, now time.Time) (late bool) {
	after, known := r.run.acked[k].last()
	if r.talk == nil || !known {
		return false
	}
	if b := r.talk.before[k]; b != 0 && int16(uint16(b)-after) > 0 {
		after = uint16(b)
	}
	behind := int(int16(uint16(r.back[k].fan.Stats().Highest) - after))
	switch limit := [...]int{media.Voice: replayVoice, media.Video: replayVideo}[k]; {
	case behind <= 0:
		return false
	case behind > limit:
		return k == media.Video
	}
	again := u.back[k].Replay(after)
	if k == media.Video {
		r.talkKeyFrame.Hold(now.Add(again.Takes + replayTrip))
	}
	r.sums.replayed[k].packets += uint64(again.Packets)
	r.sums.replayed[k].bytes += uint64(again.Bytes)
	r.log.Info("sent again what the room has not acknowledged", "uplink", u.name, "stream", k, "packets", again.Packets, "bytes", again.Bytes)
	return false
}
