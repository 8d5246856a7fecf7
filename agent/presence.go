package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"scanside/failover"
)

const (
	presenceWait    = 2 * time.Second        // the far end answers after this long without news
	presenceTimeout = 3 * time.Second        // one question: the wait and a slow round trip
	presenceRetry   = 500 * time.Millisecond // after a failure, over the next link
	presenceFresh   = 3 * time.Second        // older is UNKNOWN (DOMAIN: fail to unknown, never to green)
	presenceLimit   = 64 << 10               // bytes of an answer
)

// presence is the far end's word about people, as GET /api/v1/sites/{site}/presence answers it.
type presence struct {
	Version     uint64       `json:"version"`
	Time        time.Time    `json:"time"` // by the far end's clock
	Present     bool         `json:"present"`
	Supervisors []supervisor `json:"supervisors"`
	Observers   int          `json:"observers"`
	Watchers    []watcher    `json:"watchers"`
	Talk        *talk        `json:"talk"`

	heard time.Time // when the answer came; zero: never
}

// fresh reports whether the word is new enough to be believed. A nil word is not.
func (p *presence) fresh(now time.Time) bool { return p != nil && now.Sub(p.heard) < presenceFresh }

type supervisor struct {
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	Since   time.Time `json:"since"`
	HeardMS int64     `json:"heard_ms"`
	Sees    bool      `json:"sees"`
	Hears   bool      `json:"hears"`
	Talking bool      `json:"talking"`
}

type watcher struct {
	Name string `json:"name"`
	Role string `json:"role"`
}

type talk struct {
	Name  string    `json:"name"`
	Role  string    `json:"role"`
	Since time.Time `json:"since"`
	Voice bool      `json:"voice"`
	Video bool      `json:"video"`
}

// asker asks the far end who is there, over one living uplink at a time and the next one as soon as that one is doubted.
type asker struct {
	uplinks []*uplink
	site    string
	post    func(event)

	mu     sync.Mutex
	use    []failover.Link // living links, best first
	far    int             // whom to ask
	cancel context.CancelFunc
	best   failover.Link // as of when the question was begun
	asking failover.Link // the best one, or another after that one failed
	anew   bool          // connections that are open may be dead
	hurry  bool          // a question was cut short because another link is better now
	moved  chan struct{}
}

// over tells the asker which links live, best first, and which far end to ask. It never blocks; only the loop calls it.
func (a *asker) over(links []failover.Link, far int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	was, moved := len(a.use) > 0, far != a.far
	a.use, a.far = links, far
	if a.cancel != nil && (moved || len(links) == 0 || links[0] != a.best || !slices.Contains(links, a.asking)) {
		a.cancel() // another link is the best now, or the one it waits on is dead
		a.hurry = true
	}
	if !was && len(links) > 0 {
		close(a.moved)
		a.moved = make(chan struct{})
	}
}

// doubt cuts a question short that may have been asked long ago by the clock on the wall; the next goes out at once.
func (a *asker) doubt() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cancel != nil {
		a.cancel()
		a.hurry, a.anew = true, true
	}
}

// Run asks until ctx ends.
func (a *asker) Run(ctx context.Context) error {
	clients := make([]*http.Client, len(a.uplinks))
	hangUp := func() {
		for i, c := range clients {
			if c != nil {
				c.CloseIdleConnections()
			}
			clients[i] = nil
		}
	}
	defer hangUp()
	var version uint64
	// After a failure the next link is asked, and as long as that one answers and the order is the same, it stays the one:
	// going back to the best after every answer would cost a time-out each, longer than a word is believed.
	var best failover.Link
	var at int
	for turn := 0; ctx.Err() == nil; {
		a.mu.Lock()
		use, far, moved := a.use, a.far, a.moved
		a.mu.Unlock()
		if len(use) == 0 {
			select {
			case <-moved:
			case <-ctx.Done():
			}
			continue
		}
		if use[0] != best {
			best, turn = use[0], 0
		}
		if far != at {
			at, turn, version = far, 0, 0
			hangUp()
		}
		l := use[turn%len(use)]
		if clients[l] == nil {
			clients[l] = a.uplinks[l].client(far)
		}
		p, err := a.ask(ctx, clients[l], best, l, far, version)
		if err != nil {
			turn++
			version = 0
			if short, anew := a.cutShort(); short {
				turn = 0
				if anew {
					hangUp()
				}
			} else {
				pause(ctx, presenceRetry)
			}
			continue
		}
		version = p.Version
		a.post(event{kind: people, far: far, presence: p})
	}
	return nil
}

// cutShort reports whether the last question was cut short: then the next goes out at once, over the better link; and whether over
// a new connection.
func (a *asker) cutShort() (short, anew bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	short, anew = a.hurry, a.anew
	a.hurry, a.anew = false, false
	return short, anew
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (a *asker) ask(ctx context.Context, c *http.Client, best, l failover.Link, far int, version uint64) (*presence, error) {
	ctx, cancel := context.WithTimeout(ctx, presenceTimeout)
	defer cancel()
	a.mu.Lock()
	a.cancel, a.best, a.asking = cancel, best, l
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		a.cancel = nil
		a.mu.Unlock()
	}()
	f := &a.uplinks[l].fars[far]
	token, err := f.token()
	if err != nil {
		return nil, err
	}
	where := f.base() + "/api/v1/sites/" + url.PathEscape(a.site) + "/presence"
	if version > 0 {
		where += "?after=" + strconv.FormatUint(version, 10) + "&wait=" + strconv.Itoa(int(presenceWait.Seconds()))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return nil, fmt.Errorf("ask who is there: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := c.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask who is there: %w", err)
	}
	defer resp.Body.Close()
	if s := resp.TLS; s != nil && len(s.PeerCertificates) > 0 {
		f.shown.Store(&certificate{s.PeerCertificates[0], ""})
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, presenceLimit))
	if err != nil {
		return nil, fmt.Errorf("ask who is there: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask who is there: the far end answered %s", resp.Status)
	}
	p := &presence{heard: time.Now()}
	if err := json.Unmarshal(body, p); err != nil {
		return nil, fmt.Errorf("ask who is there: %w", err)
	}
	return p, nil
}

// client is an HTTP client for a far end, all of whose connections leave by this uplink.
func (u *uplink) client(far int) *http.Client {
	t := &http.Transport{
		TLSClientConfig: u.fars[far].trust, MaxIdleConnsPerHost: 1, IdleConnTimeout: 10 * time.Second, TLSHandshakeTimeout: presenceTimeout,
		ForceAttemptHTTP2: false,
	}
	t.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		n, err := u.network()
		if err != nil {
			return nil, err
		}
		return n.DialContext(ctx, network, addr)
	}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
