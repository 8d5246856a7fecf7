package agent

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scanside/failover"
	"scanside/link"
)

// While the best link passes no questions, the next one brings the far end's word, and it stays young enough to be believed.
// A link that becomes the best, or that dies, ends the question that waits at once.
func TestPresenceMovesToTheNextLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.RawQuery, "wait") {
				select {
				case <-time.After(presenceWait):
				case <-r.Context().Done():
				}
			}
			rw.Write([]byte(`{"version":1,"present":true}`))
		}))()
		var mu sync.Mutex
		var heard []time.Time
		a := &asker{site: "mri-2", moved: make(chan struct{}), post: func(event) {
			mu.Lock()
			defer mu.Unlock()
			heard = append(heard, time.Now())
		}}
		for _, name := range []string{"primary", "cellular"} {
			a.uplinks = append(a.uplinks, &uplink{
				cfg: Uplink{Name: name}, fars: []place{{FarEnd: FarEnd{URL: "http://far", Token: "token"}}},
				bind: func(u Uplink) (link.Net, error) { return w.hosts[u.Name], nil },
			})
		}
		ctx, cancel := context.WithCancel(t.Context())
		var gone sync.WaitGroup
		defer gone.Wait()
		defer cancel()
		gone.Go(func() { a.Run(ctx) })
		// tell is the loop: it says the same again and again.
		tell := func(d time.Duration, links ...failover.Link) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(houseEvery) {
				a.over(links, 0)
			}
		}
		w.cut("primary", true)
		tell(4*time.Second, 0, 1)
		tell(20*time.Second, 0, 1)
		mu.Lock()
		if len(heard) < 8 {
			t.Errorf("%d answers in 24 s", len(heard))
		}
		for i := 1; i < len(heard); i++ {
			if gap := heard[i].Sub(heard[i-1]); gap >= presenceFresh {
				t.Errorf("nothing was heard for %v after %d answers", gap, i)
			}
		}
		n := len(heard)
		mu.Unlock()

		w.cut("cellular", true)
		w.cut("primary", false)
		a.over([]failover.Link{0}, 0) // cellular died under the question
		time.Sleep(100 * time.Millisecond)
		mu.Lock()
		if len(heard) <= n {
			t.Error("the link that is left was not asked at once")
		}
		mu.Unlock()
	})
}
