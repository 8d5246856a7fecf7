package netns

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strconv"
	"sync"
	"time"

	"scanside/lab/observe"
)

// FarConfig tells the far end's observers where to go.
type FarConfig struct {
	Gateway string   // https://…
	Site    string   // the room
	Roots   string   // PEM file of the gateway's certificate
	Codes   []string // two one-time sign-in codes: the viewer's and the physician's
}

// Far is the helper that is the people at the far end: a console that looks, and a physician who talks. It answers:
//
//	ready        an error until voice and picture arrive
//	mark, end    a measurement begins, ends
//	way          what was measured
//	requests     how often the physician was asked for a key frame so far
func Far(ctx context.Context, cfg FarConfig, in io.Reader, out io.Writer) error {
	if len(cfg.Codes) != 2 {
		return fmt.Errorf("%d sign-in codes were given; the viewer and the physician need one each", len(cfg.Codes))
	}
	room := cfg.Gateway + "/rooms/" + cfg.Site
	client, err := enter(ctx, cfg, cfg.Codes[1])
	if err != nil {
		return err
	}
	doc, err := observe.Talk(ctx, observe.Config{URL: room + "/whip", Client: client})
	if err != nil {
		return err
	}
	defer doc.Close()
	if client, err = enter(ctx, cfg, cfg.Codes[0]); err != nil {
		return err
	}
	viewer, err := observe.Play(ctx, observe.Config{URL: room + "/whep", Client: client})
	if err != nil {
		return err
	}
	defer viewer.Close()
	return Serve(in, out, func(words []string) (any, error) {
		if len(words) == 1 && words[0] == "requests" {
			return doc.KeyFrameRequests(), nil
		}
		return look(viewer, words)
	})
}

// enter waits for the gateway and signs in.
func enter(ctx context.Context, cfg FarConfig, code string) (*http.Client, error) {
	client, err := console(cfg.Roots)
	if err != nil {
		return nil, err
	}
	if err := answering(ctx, client, cfg.Gateway); err != nil {
		return nil, err
	}
	return client, observe.SignIn(ctx, client, cfg.Gateway, code)
}

// answering waits until the gateway does.
func answering(ctx context.Context, c *http.Client, gateway string) error {
	return until(ctx, starting, soon, "the gateway answers", nil, func() error {
		res, err := c.Get(gateway + "/healthz")
		if err != nil {
			return err
		}
		return res.Body.Close()
	})
}

// console is an HTTP client with a cookie jar of its own that trusts the lab's certificate.
func console(roots string) (*http.Client, error) {
	pem, err := os.ReadFile(roots)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", roots)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}, nil
}

// look answers what any viewer can be asked.
func look(v *observe.Viewer, words []string) (any, error) {
	if len(words) == 1 {
		switch words[0] {
		case "ready":
			if !v.Receiving() {
				return nil, errors.New("voice and picture do not both arrive yet")
			}
			return nil, nil
		case "mark":
			v.Mark()
			return nil, nil
		case "end":
			v.End()
			return nil, nil
		case "way":
			return v.Way(), nil
		}
	}
	return nil, fmt.Errorf("%q is not a question", words)
}

// Room is the helper inside the room: it looks at the room's screen and at the status page. Besides what any viewer answers:
//
//	play              open the room's screen
//	up NAME…          an error until the box calls these uplinks up
//	connected NAME NS  an error until the box has a connection over that uplink, made after NS, and knows who is at the far end
//	routes            uplinks that carry each stream
//	switchovers NS    how often the box moved a stream with a need since NS, in ns since 1970
//	requests          how often the camera was asked for a key frame so far, by the box's count
//	struck NAME NS    look closely from now on: the uplink was struck at NS since 1970
//	fall              what the box has said about it so far
func Room(ctx context.Context, page string, in io.Reader, out io.Writer) error {
	r := &room{ctx: ctx, page: page, box: observe.Box{URL: page, Client: &http.Client{}}}
	defer r.close()
	return Serve(in, out, r.answer)
}

type room struct {
	ctx    context.Context
	page   string
	box    observe.Box
	screen *observe.Viewer

	stop context.CancelFunc
	gone sync.WaitGroup
	mu   sync.Mutex
	fall observe.Fall
}

func (r *room) answer(words []string) (any, error) {
	if len(words) == 0 {
		return nil, errors.New("no question")
	}
	switch words[0] {
	case "play":
		v, err := observe.Play(r.ctx, observe.Config{URL: r.page + "/room/whep", Client: &http.Client{}, Loopback: true})
		r.screen = v
		return nil, err
	case "up":
		return nil, r.up(words[1:])
	case "connected":
		return nil, r.connected(words[1:])
	case "routes", "requests":
		st, err := r.box.Status(r.ctx)
		if err != nil {
			return nil, err
		}
		if words[0] == "routes" {
			return observe.Routes(st), nil
		}
		return observe.KeyFrameRequests(st), nil
	case "switchovers":
		return r.switchovers(words[1:])
	case "procedure":
		return nil, r.box.Procedure(r.ctx, len(words) > 1 && words[1] == "open")
	case "struck":
		return nil, r.struck(words[1:])
	case "fall":
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.fall, nil
	}
	if r.screen == nil {
		return nil, errors.New("the screen is not open yet; play comes first")
	}
	return look(r.screen, words)
}

func (r *room) up(names []string) error {
	st, err := r.box.Status(r.ctx)
	if err != nil {
		return err
	}
	verdicts := map[string]string{}
	for _, u := range st.Uplinks {
		verdicts[u.Name] = u.Verdict + " " + u.Reason
		if u.Verdict == "up" {
			verdicts[u.Name] = "up"
		}
	}
	var errs []error
	for _, name := range names {
		if verdicts[name] != "up" {
			errs = append(errs, fmt.Errorf("uplink %s is not up: %s", name, verdicts[name]))
		}
	}
	return errors.Join(errs...)
}

func (r *room) switchovers(words []string) (uint64, error) {
	if len(words) != 1 {
		return 0, errors.New("switchovers takes a time")
	}
	ns, err := strconv.ParseInt(words[0], 10, 64)
	if err != nil {
		return 0, err
	}
	st, err := r.box.Status(r.ctx)
	if err != nil {
		return 0, err
	}
	return observe.Switchovers(st, time.Unix(0, ns)), nil
}

func (r *room) connected(words []string) error {
	if len(words) != 2 {
		return errors.New("connected takes an uplink and a time")
	}
	ns, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return err
	}
	st, err := r.box.Status(r.ctx)
	if err != nil {
		return err
	}
	for _, u := range st.Uplinks {
		if u.Name == words[0] && u.Connected && u.Since.UnixNano() >= ns && st.FarEnd.Known {
			return nil
		}
	}
	return errors.New("not connected anew, or the far end does not say who is there")
}

func (r *room) struck(words []string) error {
	if len(words) != 2 {
		return errors.New("struck takes an uplink and a time")
	}
	ns, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(r.ctx)
	r.stop = stop
	r.gone.Go(func() {
		r.box.Watch(ctx, words[0], time.Unix(0, ns), func(f observe.Fall) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.fall = f
		})
	})
	return nil
}

func (r *room) close() {
	if r.stop != nil {
		r.stop()
	}
	r.gone.Wait()
	if r.screen != nil {
		_ = r.screen.Close()
	}
}
