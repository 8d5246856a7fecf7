package gateway

import (
	"strings"
	"time"

	"scanside/media"
)

// OnwardView is where a room is passed on to.
type OnwardView struct {
	To       string      `json:"to"` // host[:port]
	State    OnwardState `json:"state"`
	Sentence string      `json:"sentence"`
	Since    time.Time   `json:"since"` // of the state
	Packets  uint64      `json:"packets"`
	Dropped  uint64      `json:"dropped"` // because its queue was full
	Failures uint64      `json:"failures"`
}

// view is how it stands now; nil: the room is not to be passed on.
func (o *onward) view() *OnwardView {
	if o == nil {
		return nil
	}
	c := o.counts()
	o.mu.Lock()
	defer o.mu.Unlock()
	v := &OnwardView{To: o.host, State: o.state, Since: o.since.UTC(), Failures: o.failures}
	for k := range media.NumKinds {
		v.Packets += c.packets[k]
		v.Dropped += c.dropped[k]
	}
	switch o.state {
	case OnwardWaiting:
		v.Sentence = "It is passed on to " + o.host + " as soon as the box sends."
	case OnwardDialing:
		v.Sentence = o.host + " is being dialled."
	case OnwardLive:
		v.Sentence = "It is passed on to " + o.host + "; who watches there is not known here."
	case OnwardFailed:
		v.Sentence = "It cannot be passed on to " + o.host + ": " + strings.TrimRight(o.why, ".") + ". It is tried again by itself."
	}
	return v
}

type onwardCounts struct {
	live             bool
	failures         uint64
	packets, dropped [media.NumKinds]uint64
}

func (o *onward) counts() onwardCounts {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := onwardCounts{o.state == OnwardLive, o.failures, o.packets, o.dropped}
	for k, l := range o.legs {
		if l != nil {
			st := l.Stats()
			c.packets[k] += st.Sent
			c.dropped[k] += st.Dropped
		}
	}
	return c
}

// passedOn says to where the room is passed on now; "": nowhere.
func (r *room) passedOn() string {
	if o := r.onward; o != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.state == OnwardLive {
			return o.host
		}
	}
	return ""
}
