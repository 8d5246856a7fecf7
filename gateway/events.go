package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"scanside/link"
)

// RoomsView is GET /api/v1/rooms, and each event of GET /api/v1/events.
type RoomsView struct {
	Time time.Time `json:"time"`
	You  You       `json:"you"`
	// Fingerprint of the gateway's certificate, for whoever sets up a box; "" without TLS.
	Fingerprint string     `json:"fingerprint"`
	Rooms       []RoomView `json:"rooms"`
}

// You is who asks.
type You struct {
	Name string `json:"name"`
	Role Role   `json:"role"`
}

func (g *Gateway) view(s *session, now time.Time) RoomsView {
	v := RoomsView{Time: now.UTC(), You: You{s.user.DisplayName, s.user.Role}, Fingerprint: g.fingerprint, Rooms: []RoomView{}}
	for _, r := range g.rooms {
		v.Rooms = append(v.Rooms, r.view(now))
	}
	return v
}

func (g *Gateway) listRooms(w http.ResponseWriter, req *http.Request, s *session) {
	writeJSON(w, g.view(s, time.Now()))
}

const (
	// eventEvery is the time between two events: a page can say how old its words are to a second.
	eventEvery = time.Second
	// eventSoon is the least time between two events, when something changed.
	eventSoon = 100 * time.Millisecond
	// eventPatience is how long a reader may hold up a write before it is dropped; it asks again by itself.
	eventPatience = 10 * time.Second
	// maxStreams is per session: a person has a few windows.
	maxStreams = 8
)

// events sends the whole state each second, and soon after somebody came, left, or began to talk. A reader that is slow
// misses nothing but time: every event is the whole.
func (g *Gateway) events(w http.ResponseWriter, req *http.Request, s *session) {
	if !s.enter(maxStreams) {
		link.WriteProblem(w, problem(http.StatusTooManyRequests, "streams", "Too many windows are open.", "close some, then reload"))
		return
	}
	defer s.leave()
	rc := http.NewResponseController(w)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy must not collect events
	tick := time.NewTicker(eventSoon)
	defer tick.Stop()
	var sent time.Time
	var seen uint64
	for {
		now := time.Now()
		if versions := g.versions(); versions != seen || now.Sub(sent) >= eventEvery {
			seen, sent = versions, now
			text, err := json.Marshal(g.view(s, now))
			if err != nil {
				return
			}
			rc.SetWriteDeadline(now.Add(eventPatience))
			if _, err := fmt.Fprintf(w, "event: rooms\ndata: %s\n\n", text); err != nil {
				return
			}
			if err := rc.Flush(); err != nil {
				return
			}
		}
		select {
		case <-tick.C:
		case <-req.Context().Done():
			return
		case <-g.closing.Done():
			return
		case <-s.done:
			rc.SetWriteDeadline(time.Now().Add(eventPatience))
			fmt.Fprint(w, "event: signed-out\ndata: {}\n\n")
			rc.Flush()
			return
		}
	}
}

// versions changes whenever anything in any room that people wait for has changed.
func (g *Gateway) versions() uint64 {
	var sum uint64
	for _, r := range g.rooms {
		v, _ := r.notice.version()
		sum += v
	}
	return sum
}
