package observe

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"scanside/agent/status"
)

const (
	closely   = 10 * time.Millisecond  // between looks at the box right after an uplink was struck
	casually  = 250 * time.Millisecond // later
	closeLook = 3 * time.Second        // how long to look closely
	statusMax = 1 << 20                // bytes of the status document
)

// Box looks at a room's box through its status document, as the technician's page does.
type Box struct {
	URL    string // of the status page
	Client *http.Client
}

// Status fetches the document.
func (b Box) Status(ctx context.Context) (*status.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, signalling)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.URL+"/api/v1/status", nil)
	if err != nil {
		return nil, err
	}
	res, err := b.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, statusMax))
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %w", req.URL, &Refused{res.StatusCode, string(body)})
	}
	var st status.Status
	if err := json.Unmarshal(body, &st); err != nil {
		return nil, fmt.Errorf("GET %s: %w", req.URL, err)
	}
	return &st, nil
}

// MoveTo presses the page's button that moves the room to another far end, by its name.
func (b Box) MoveTo(ctx context.Context, farEnd string) error {
	return b.press(ctx, "/api/v1/far-end", url.Values{"far_end": {farEnd}})
}

// Procedure presses the page's button that opens a procedure, or closes it.
func (b Box) Procedure(ctx context.Context, open bool) error {
	return b.press(ctx, "/api/v1/procedure", url.Values{"open": {strconv.FormatBool(open)}})
}

func (b Box) press(ctx context.Context, button string, form url.Values) error {
	ctx, cancel := context.WithTimeout(ctx, signalling)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.URL+button, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := b.Client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(io.LimitReader(res.Body, statusMax)); res.StatusCode != http.StatusNoContent {
		return fmt.Errorf("POST %s: %w", req.URL, &Refused{res.StatusCode, string(body)})
	}
	return nil
}

// Fall is what the box said about an uplink that was struck; nil where it did not come to that.
type Fall struct{ Detect, Switch *time.Duration }

// Complete reports whether nothing more can come.
func (f Fall) Complete() bool { return f.Detect != nil && f.Switch != nil }

// See adds what a status document says. The times are the box's own; it shares the clock with whoever struck.
func (f *Fall) See(st *status.Status, uplink string, struck time.Time) {
	after := func(at time.Time) *time.Duration {
		d := max(0, at.Sub(struck))
		return &d
	}
	later := func(at time.Time) bool { return !at.Before(struck.Truncate(time.Millisecond)) } // as exact as the document
	if f.Detect == nil {
		for _, u := range st.Uplinks {
			switch {
			case u.Name != uplink:
			case later(u.Doubted):
				f.Detect = after(u.Doubted)
			case u.Verdict != "up" && later(u.Since):
				f.Detect = after(u.Since)
			}
		}
	}
	carries := slices.ContainsFunc(st.Streams, func(s status.Stream) bool { return slices.Contains(s.Route, uplink) })
	if f.Switch == nil && !carries && st.At.After(struck) {
		f.Switch = after(st.At)
		for _, s := range st.Switchovers { // the page's own record is finer than our looking
			if later(s.When) && slices.Contains(s.From, uplink) && !slices.Contains(s.To, uplink) {
				f.Switch = after(s.When) // newest first: the first of them stays
			}
		}
	}
}

// Watch looks at the box from the moment an uplink was struck until all is known or ctx ends, and tells whenever it has
// learned something.
func (b Box) Watch(ctx context.Context, uplink string, struck time.Time, tell func(Fall)) {
	var fall Fall
	for known := fall; !fall.Complete(); known = fall {
		if st, err := b.Status(ctx); err == nil {
			fall.See(st, uplink, struck)
		}
		if fall != known {
			tell(fall)
		}
		pause := casually
		if time.Since(struck) < closeLook {
			pause = closely
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// Routes says which uplinks carry each stream.
func Routes(st *status.Status) map[string][]string {
	routes := map[string][]string{}
	for _, s := range st.Streams {
		routes[s.Kind] = s.Route
	}
	return routes
}

// KeyFrameRequests is how often the room's picture source was asked for a key frame in this run, by the box's count.
func KeyFrameRequests(st *status.Status) uint64 {
	for _, s := range st.Streams {
		if s.Kind == "video" {
			return s.KeyFrames
		}
	}
	return 0
}

// SignIn uses a one-time sign-in code, as the page behind the printed link does; the client keeps the cookie.
func SignIn(ctx context.Context, c *http.Client, gateway, code string) error {
	ctx, cancel := context.WithTimeout(ctx, signalling)
	defer cancel()
	form := url.Values{"code": {code}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, gateway+"/signin/once", strings.NewReader(form))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := c.Do(req)
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(io.LimitReader(res.Body, statusMax)); res.StatusCode != http.StatusOK {
		return fmt.Errorf("sign in at %s: %w", gateway, &Refused{res.StatusCode, string(body)})
	}
	return nil
}

// Switchovers counts those that had a need since a moment, as far back as the document goes.
func Switchovers(st *status.Status, since time.Time) (n uint64) {
	for _, s := range st.Switchovers {
		if !s.Routine && !s.When.Before(since.Truncate(time.Millisecond)) {
			n++
		}
	}
	return n
}
