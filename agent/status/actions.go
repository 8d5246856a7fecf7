package status

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func (s *Server) pin(w http.ResponseWriter, r *http.Request) {
	uplink, ok := field(w, r, "uplink")
	if !ok {
		return
	}
	s.done(w, r, s.box.Pin(r.Context(), by(r), uplink))
}

func (s *Server) moveTo(w http.ResponseWriter, r *http.Request) {
	name, ok := field(w, r, "far_end")
	if !ok {
		return
	}
	s.done(w, r, s.box.MoveTo(r.Context(), by(r), name))
}

func (s *Server) procedure(w http.ResponseWriter, r *http.Request) {
	open, ok := field(w, r, "open")
	if !ok {
		return
	}
	if open != "true" && open != "false" {
		problem(w, http.StatusBadRequest, "bad-request", "Say whether a procedure is open: send {\"open\": true} or {\"open\": false}, or a form with the field open.")
		return
	}
	s.done(w, r, s.box.Procedure(r.Context(), by(r), open == "true"))
}

func (s *Server) examine(w http.ResponseWriter, r *http.Request) {
	uplink, ok := field(w, r, "uplink")
	if !ok {
		return
	}
	s.done(w, r, s.box.Examine(uplink))
}

func (s *Server) startSelfTest(w http.ResponseWriter, r *http.Request) {
	s.done(w, r, s.box.StartSelfTest())
}

func (s *Server) selfTest(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(s.box.SelfTest())
}

// loudspeaker makes it louder, quieter, or try itself.
func (s *Server) loudspeaker(w http.ResponseWriter, r *http.Request) {
	const step = 10 // percent
	switch r.PathValue("what") {
	case "louder":
		s.done(w, r, s.box.Volume(step))
	case "quieter":
		s.done(w, r, s.box.Volume(-step))
	case "tone":
		s.done(w, r, s.box.Tone())
	default:
		problem(w, http.StatusNotFound, "unknown-action", "There is louder, quieter and tone.")
	}
}

func (s *Server) impair(w http.ResponseWriter, r *http.Request) {
	what := r.PathValue("what")
	if !slices.Contains([]string{"cut", "loss", "delay", "thin", "restore"}, what) {
		problem(w, http.StatusNotFound, "unknown-impairment", "There is cut, loss, delay, thin and restore.")
		return
	}
	s.done(w, r, s.box.Impair(r.PathValue("uplink"), what))
}

// field reads one value from a form or from a JSON object.
func field(w http.ResponseWriter, r *http.Request, name string) (string, bool) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		var m map[string]any
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			problem(w, http.StatusBadRequest, "bad-request", "Send a JSON object with the field "+name+".")
			return "", false
		}
		switch v := m[name].(type) {
		case string:
			return v, true
		case bool:
			return strconv.FormatBool(v), true
		}
		return "", true
	}
	if err := r.ParseForm(); err != nil {
		problem(w, http.StatusBadRequest, "bad-request", "Send a form with the field "+name+".")
		return "", false
	}
	return r.PostForm.Get(name), true
}

// done answers an action: programs get a status, a browser without script is sent back to the page.
func (s *Server) done(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, ErrUnknown), errors.Is(err, ErrNotDemo):
		problem(w, http.StatusNotFound, "unknown-uplink", err.Error())
	case errors.Is(err, ErrNoFarEnd):
		problem(w, http.StatusNotFound, "unknown-far-end", err.Error())
	case errors.Is(err, ErrNoQuestion):
		problem(w, http.StatusNotFound, "unknown-question", err.Error())
	case errors.Is(err, ErrNoDevice):
		problem(w, http.StatusNotFound, "unknown-device", err.Error())
	case errors.Is(err, ErrTesting):
		problem(w, http.StatusConflict, "self-test-running", err.Error())
	case errors.Is(err, ErrNoLoudspeaker):
		problem(w, http.StatusNotFound, "no-loudspeaker", err.Error())
	case errors.Is(err, ErrOpen):
		problem(w, http.StatusConflict, "procedure-open", err.Error())
	case errors.As(err, new(Refusal)):
		problem(w, http.StatusConflict, "refused", err.Error())
	case err != nil:
		problem(w, http.StatusInternalServerError, "failed", err.Error())
	case strings.Contains(r.Header.Get("Accept"), "text/html"):
		http.Redirect(w, r, "/", http.StatusSeeOther)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// problem answers as RFC 9457 says.
func problem(w http.ResponseWriter, code int, kind, detail string) {
	problemWith(w, code, kind, detail, nil)
}

// problemWith adds members of its own.
func problemWith(w http.ResponseWriter, code int, kind, detail string, more map[string]string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(code)
	all := map[string]any{"type": "urn:scanside:problem:" + kind, "title": http.StatusText(code), "status": code, "detail": detail}
	for key, value := range more {
		all[key] = value
	}
	json.NewEncoder(w).Encode(all)
}
