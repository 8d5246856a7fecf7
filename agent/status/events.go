package status

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
)

const (
	maxStreams = 32                     // open pages; more is not a technician
	quietest   = 15 * time.Second       // a comment after this long without news keeps proxies from closing the stream
	fastest    = 200 * time.Millisecond // between two events of one stream; a snapshot that was skipped is not missed
	patience   = 5 * time.Second        // for one write; a client slower than that is dropped
)

// events streams every new snapshot as draw makes it. Every event is the whole state, so nothing needs to be sent again after
// a reconnect (no Last-Event-ID) and a slow client may skip. The stream is silent when the box has nothing new: that silence
// is what the page takes for "no data from the box".
func (s *Server) events(draw func(*Status) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		out, ok := s.open(w, r)
		if !ok {
			return
		}
		defer out.close()
		for {
			if !s.still(r) {
				return // signed out meanwhile
			}
			st, newer := s.box.Status()
			if !stale(st) { // an old one is no news, also to a page that has just come
				text, err := draw(st)
				if err != nil {
					s.cfg.Log.Error("draw event", "err", err)
					return
				}
				if !out.write(text) {
					return
				}
			}
			if !pause(r, fastest) || !wait(r, newer, out.write) {
				return
			}
		}
	}
}

// stream is one open answer of server-sent events.
type stream struct {
	s    *Server
	w    http.ResponseWriter
	r    *http.Request
	conn *http.ResponseController
}

// open begins a stream, or says why not.
func (s *Server) open(w http.ResponseWriter, r *http.Request) (*stream, bool) {
	if s.streams.Add(1) > maxStreams {
		s.streams.Add(-1)
		w.Header().Set("Retry-After", "5")
		problem(w, http.StatusServiceUnavailable, "too-many-streams", "Too many pages are open; close one.")
		return nil, false
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	out := &stream{s, w, r, http.NewResponseController(w)}
	if !out.write([]byte("retry: 1000\n\n")) {
		out.close()
		return nil, false
	}
	return out, true
}

func (o *stream) close() { o.s.streams.Add(-1) }

// write sends an event; a client that does not take it in time is let go.
func (o *stream) write(text []byte) bool {
	o.conn.SetWriteDeadline(time.Now().Add(patience)) // a writer without deadlines is a test's
	_, err := o.w.Write(text)
	if err == nil {
		err = o.conn.Flush()
	}
	if err != nil && o.r.Context().Err() == nil {
		o.s.dropped.Add(1)
	}
	return err == nil
}

// wait returns when there is news; it writes a comment now and then meanwhile.
func wait(r *http.Request, newer <-chan struct{}, write func([]byte) bool) bool {
	for {
		t := time.NewTimer(quietest)
		select {
		case <-newer:
			t.Stop()
			return true
		case <-r.Context().Done():
			t.Stop()
			return false
		case <-t.C:
			if !write([]byte(": still here\n\n")) {
				return false
			}
		}
	}
}

func pause(r *http.Request, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// frame is one event on the wire: every line of the text behind "data: ".
func frame(name string, text []byte) []byte {
	var b bytes.Buffer
	b.WriteString("event: " + name + "\n")
	for line := range bytes.Lines(text) {
		b.WriteString("data: ")
		b.Write(bytes.TrimRight(line, "\r\n"))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return b.Bytes()
}

func jsonEvent(st *Status) ([]byte, error) {
	text, err := json.Marshal(st)
	if err != nil {
		return nil, err
	}
	return frame("status", text), nil
}
