package gateway

import (
	"fmt"
	"strings"
	"time"

	"scanside/media"
	"scanside/media/content"
)

// RoomView is one room in GET /api/v1/rooms and in the event stream.
type RoomView struct {
	Site     string      `json:"site"`
	Name     string      `json:"name"`
	State    RoomState   `json:"state"`
	Sentence string      `json:"sentence"`
	Box      string      `json:"box"`   // "" while none has come
	Run      string      `json:"run"`   // the agent's run
	Since    *time.Time  `json:"since"` // when the run came
	Voice    StreamView  `json:"voice"`
	Video    StreamView  `json:"video"`
	Uplinks  []LinkView  `json:"uplinks"`
	Talk     *TalkView   `json:"talk"`
	Onward   *OnwardView `json:"republish"` // null: it is not passed on

	Present     bool       `json:"present"`
	Supervisors []Attender `json:"supervisors"`
	Watchers    []Watcher  `json:"watchers"`
}

// RoomState is a closed set.
type RoomState string

const (
	Live    RoomState = "live"    // picture and sound arrive
	Partial RoomState = "partial" // one of them does
	Silent  RoomState = "silent"  // the box is there, and neither does
	Absent  RoomState = "absent"  // no box
)

// StreamView counts one merged stream since the agent's run began.
type StreamView struct {
	Flowing     bool   `json:"flowing"` // a packet came within the last second
	Fault       string `json:"fault"`   // what the box says is wrong with it: package content's closed set, or "unknown"; "": nothing
	FaultWords  string `json:"fault_words"`
	Serves      bool   `json:"serves"` // it flows, and shows or tells of the room
	AgeMS       *int64 `json:"age_ms"` // since the newest packet; null: none yet
	Received    uint64 `json:"received"`
	Lost        uint64 `json:"lost"`
	Duplicate   uint64 `json:"duplicate"`
	Repaired    uint64 `json:"repaired"`
	LongestGap  int64  `json:"longest_gap_ms"`
	MinuteGap   int64  `json:"minute_gap_ms"`      // the longest silence within the last minute; 0 for talk
	KeyFrameReq uint64 `json:"key_frame_requests"` // sent to the box since the gateway started; video only
}

// LinkView is one of the box's uplinks as this end sees it.
type LinkView struct {
	Name      string  `json:"name"`
	Connected bool    `json:"connected"`
	HeardMS   *int64  `json:"heard_ms"` // since anything came, probes included; null: never
	Voice     LegView `json:"voice"`
	Video     LegView `json:"video"`
}

// LegView is one stream on one uplink.
type LegView struct {
	Carries   bool     `json:"carries"` // packets came within the last second
	Returns   bool     `json:"returns"` // the way back takes this uplink
	Received  uint64   `json:"received"`
	First     uint64   `json:"first"` // of these, how many came before any other copy
	Duplicate uint64   `json:"duplicate"`
	Loss      *float64 `json:"loss"` // over the last 10 s, 0…1; null: nothing to judge by
}

// TalkView is the talk of the room for consoles.
type TalkView struct {
	TalkState
	Desk        string     `json:"desk"` // the window it comes from
	VoiceStream StreamView `json:"voice_stream"`
	VideoStream StreamView `json:"video_stream"`
}

// view is the room as it is now.
func (r *room) view(now time.Time) RoomView {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.presence(now)
	v := RoomView{
		Site: r.site.ID, Name: r.site.Name, Uplinks: []LinkView{},
		Present: p.Present, Supervisors: p.Supervisors, Watchers: p.Watchers,
	}
	if run := r.run; run != nil {
		began := run.began.UTC()
		v.Box, v.Run, v.Since = run.box, run.id, &began
		for _, u := range run.uplinks {
			v.Uplinks = append(v.Uplinks, u.view(now))
		}
		v.Voice = streamView(run.mergers[media.Voice].Stats(), run.newest(media.Voice), now)
		v.Video = streamView(run.mergers[media.Video].Stats(), run.newest(media.Video), now)
		v.Voice.say(media.Voice, &run.said, now)
		v.Video.say(media.Video, &run.said, now)
		v.Voice.MinuteGap = run.gaps[media.Voice].longest().Milliseconds()
		v.Video.MinuteGap = run.gaps[media.Video].longest().Milliseconds()
	}
	v.Video.KeyFrameReq = r.sums.keyFrames
	if t := r.talk; t != nil {
		v.Talk = &TalkView{
			TalkState: *p.Talk, Desk: t.desk,
			VoiceStream: streamView(t.mergers[media.Voice].Stats(), t.last[media.Voice].Load(), now),
			VideoStream: streamView(t.mergers[media.Video].Stats(), t.last[media.Video].Load(), now),
		}
	}
	v.Onward = r.onward.view()
	v.State, v.Sentence = judge(v, r.run, now)
	return v
}

// newest is when the newest packet of kind k came over any uplink, in ns since 1970.
func (r *run) newest(k media.Kind) int64 {
	var at int64
	for _, u := range r.uplinks {
		at = max(at, u.last[k].Load())
	}
	return at
}

func streamView(st media.MergerStats, last int64, now time.Time) StreamView {
	v := StreamView{
		Received: st.Received, Lost: st.Lost, Duplicate: st.Duplicate, Repaired: st.Repaired, LongestGap: st.LongestGap.Milliseconds(),
	}
	if last != 0 {
		age := time.Duration(now.UnixNano() - last)
		ms := age.Milliseconds()
		v.AgeMS, v.Flowing = &ms, age <= flowing
	}
	return v
}

// say adds the box's own word.
func (v *StreamView) say(k media.Kind, w *said, now time.Time) {
	var weight content.Weight
	v.Fault, v.FaultWords, weight = w.of(k, now)
	v.Serves = v.Flowing && weight < content.Unusable
}

func (u *uplink) view(now time.Time) LinkView {
	v := LinkView{Name: u.name, Connected: u.connected(), Voice: u.leg(media.Voice, now), Video: u.leg(media.Video, now)}
	if at := later(u.heard(), u.lost); !at.IsZero() {
		ms := now.Sub(at).Milliseconds()
		v.HeardMS = &ms
	}
	return v
}

func (u *uplink) leg(k media.Kind, now time.Time) LegView {
	st := u.legs[k].Stats()
	v := LegView{
		Carries: u.connected() && u.arrived(k, now, flowing), Returns: u.carries[k],
		Received: st.Received, First: st.First, Duplicate: st.Duplicate,
	}
	if ratio, ok := u.losses[k].ratio(st); ok && v.Carries {
		v.Loss = &ratio
	}
	return v
}

// judge says in one sentence what there is of the room. It speaks of what arrives here, not of what the law asks.
func judge(v RoomView, run *run, now time.Time) (RoomState, string) {
	if run == nil {
		return Absent, "No box has connected since this gateway started."
	}
	var up []string
	for _, u := range v.Uplinks {
		if u.Connected && u.HeardMS != nil && *u.HeardMS < boxAlive.Milliseconds() {
			up = append(up, u.Name)
		}
	}
	links := "over its last link, " + strings.Join(up, "")
	if len(up) > 1 {
		links = fmt.Sprintf("%d links up", len(up))
	}
	switch {
	case v.Video.Serves && v.Voice.Serves:
		return Live, strings.TrimSpace("Picture and sound arrive; " + links + ". " + v.Video.FaultWords + " " + v.Voice.FaultWords)
	case v.Video.Serves:
		return Partial, "Picture only: " + silence("sound", v.Voice) + "; " + links + "."
	case v.Voice.Serves:
		return Partial, "Sound only: " + silence("picture", v.Video) + "; " + links + "."
	case v.Video.Flowing || v.Voice.Flowing:
		return Silent, "The room is neither seen nor heard: " + silence("picture", v.Video) + "; " + silence("sound", v.Voice) + "; " + links + "."
	case len(up) > 0:
		return Silent, "The box is connected but sends neither picture nor sound; " + links + "."
	}
	return Absent, fmt.Sprintf("No word from the box for %s.", longish(now.Sub(run.heard())))
}

func silence(what string, s StreamView) string {
	if s.FaultWords != "" && !s.Serves {
		return strings.ToLower(s.FaultWords[:1]) + strings.TrimSuffix(s.FaultWords[1:], ".")
	}
	if s.AgeMS == nil {
		return "no " + what + " has come"
	}
	return fmt.Sprintf("no %s for %s", what, longish(time.Duration(*s.AgeMS)*time.Millisecond))
}

// longish is a length of time in the words of a person.
func longish(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h", int(d.Hours()))
}
