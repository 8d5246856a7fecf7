package status

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"scanside/support"
)

// bundleLasts is how long a bundle can be fetched: what was listed is what is fetched, and it is in memory meanwhile.
const bundleLasts = 10 * time.Minute

// bundles holds the newest support bundle. One is made at a time.
type bundles struct {
	page   *page
	making sync.Mutex
	mu     sync.Mutex
	newest *support.Bundle
}

// bundle makes one and keeps it for a while.
func (s *Server) bundle(r *http.Request) (*support.Bundle, error) {
	s.support.making.Lock()
	defer s.support.making.Unlock()
	b, err := s.box.SupportBundle(r.Context())
	if err != nil {
		return nil, err
	}
	b.ID = rand.Text()
	s.support.mu.Lock()
	defer s.support.mu.Unlock()
	s.support.newest = b
	return b, nil
}

// supportView is what support.html is drawn from.
type supportView struct {
	*support.Bundle
	Site string
}

func (s *Server) supportPage(w http.ResponseWriter, r *http.Request) {
	b, err := s.bundle(r)
	if err != nil {
		http.Error(w, "The support bundle could not be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := s.support.page.tmpl.ExecuteTemplate(w, s.support.page.name, supportView{b, s.current().Site}); err != nil {
		s.cfg.Log.Error("draw page", "page", s.support.page.name, "err", err)
	}
}

func (s *Server) makeBundle(w http.ResponseWriter, r *http.Request) {
	b, err := s.bundle(r)
	if err != nil {
		problem(w, http.StatusInternalServerError, "failed", err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(b)
}

func (s *Server) getBundle(w http.ResponseWriter, r *http.Request) {
	s.support.mu.Lock()
	b := s.support.newest
	s.support.mu.Unlock()
	if b == nil || b.ID != r.PathValue("id") || time.Since(b.Made) > bundleLasts {
		problem(w, http.StatusNotFound, "no-bundle", "This bundle is not kept any more; make another one.")
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", "attachment; filename="+strconv.Quote(b.Name))
	h.Set("Content-Length", strconv.Itoa(len(b.Zip)))
	w.Write(b.Zip)
}
