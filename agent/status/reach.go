package status

import "net/http"

// Reach says where this page can be opened.
type Reach struct {
	URLs      []string `json:"urls"` // from other machines, the best first; empty: from the box itself alone
	Sentence  string   `json:"sentence"`
	LocalName string   `json:"local_name"` // about its name without a name server, a sentence; "": nothing to say

	QR []byte `json:"-"` // the first address as an SVG of a QR code; nil: there is none
}

// Clock is how the box's clock is kept.
type Clock struct {
	Level    Level  `json:"level"`
	Sentence string `json:"sentence"`
	Do       string `json:"do"` // what to do about it; "" when it is well
}

// addressQR draws the page's address for another phone's camera.
func (s *Server) addressQR(w http.ResponseWriter, r *http.Request) {
	qr := s.current().Reach.QR
	if qr == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Write(qr)
}
