package status

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// mute takes {"device": "camera"|"microphone", "on": true|false}. Closing is anybody's who may act on the page, or stands at the box; opening
// again is the room's alone: it must come from the box itself, where its own screen and its command are.
func (s *Server) mute(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Device string `json:"device"`
		On     *bool  `json:"on"`
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		if json.NewDecoder(r.Body).Decode(&ask) != nil {
			ask.On = nil
		}
	} else if r.ParseForm() == nil {
		ask.Device = r.PostForm.Get("device")
		if on := r.PostForm.Get("on"); on == "true" || on == "false" {
			is := on == "true"
			ask.On = &is
		}
	}
	switch {
	case ask.On == nil:
		problem(w, http.StatusBadRequest, "bad-request", `Say what to mute: send {"device": "camera", "on": true}, or a form with the fields device and on.`)
	case !*ask.On && !fromTheBox(r):
		problem(w, http.StatusForbidden, "not-from-afar", fmt.Sprintf("A mute is lifted in the room only: at the box's own screen, with its key, or on the box with `scanside mute %s off`.", ask.Device))
	default:
		s.done(w, r, s.box.Mute(r.Context(), by(r), ask.Device, *ask.On))
	}
}
