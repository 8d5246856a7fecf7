package status

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

var figures = flag.Bool("figures", false, "measure the page on a throttled phone")

// mostWeight is what a technician's page may weigh, all that it loads included, the picture not.
const mostWeight = 150_000 // bytes

// A box may have no internet, and the phone in front of it a poor network: the page loads nothing from elsewhere, and little at all.
func TestPageWeight(t *testing.T) {
	for name, draw := range map[string]func(time.Time) *Status{"healthy": healthy, "cut": cut} {
		s := server(t, newBox(draw(time.Now())), Config{})
		loaded := map[string]int{}
		queue := []string{"/"}
		refers := regexp.MustCompile(`(?:src|href)="(/(?:assets/[^"]+|address\.svg))"|from "(/assets/[^"]+)"|url\(([^)]+)\)`)
		elsewhere := regexp.MustCompile(`(?:src|href)="(https?:)?//|@import|from "https?:|url\(["']?https?:`)
		for len(queue) > 0 {
			path := queue[0]
			queue = queue[1:]
			if _, done := loaded[path]; done {
				continue
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1:8480"+path, nil))
			text, _ := io.ReadAll(w.Body)
			if w.Code != http.StatusOK {
				t.Fatalf("%s: %d", path, w.Code)
			}
			loaded[path] = len(text)
			if at := elsewhere.FindIndex(text); at != nil {
				t.Errorf("%s loads something from elsewhere: %q", path, text[at[0]:min(at[0]+80, len(text))])
			}
			for _, m := range refers.FindAllStringSubmatch(string(text), -1) {
				queue = append(queue, m[1]+m[2]+m[3])
			}
		}
		sum, table := 0, []string{}
		for path, n := range loaded {
			sum += n
			table = append(table, fmt.Sprintf("%6d %s", n, path))
		}
		slices.Sort(table)
		t.Logf("%s: %d bytes in %d files\n%s", name, sum, len(loaded), strings.Join(table, "\n"))
		if sum > mostWeight {
			t.Errorf("%s: the page weighs %d bytes, %d are allowed", name, sum, mostWeight)
		}
		if len(loaded) < 8 {
			t.Errorf("only %d files were found: the test no longer sees what the page loads", len(loaded))
		}
	}
}

// How long a phone takes to show the verdict: `make page`. A slow mobile network as browsers' own tools have it, and a processor four
// times slower than this one. Read it beside the same page without throttling.
func TestFirstVerdict(t *testing.T) {
	if !*figures {
		t.Skip("figures are taken on demand: make page")
	}
	srv := serve(t, newBox(healthy(time.Now())), Config{})
	for _, on := range []struct {
		name            string
		latency         float64 // ms
		down, up, slows float64 // bytes a second; times
	}{
		{"this machine", 0, -1, -1, 1},
		{"phone in a good Wi-Fi", 10, 2_500_000, 1_250_000, 4},
		{"phone on slow 4G", 150, 200_000, 93_750, 4},
		{"phone on slow 3G", 400, 50_000, 50_000, 4},
	} {
		var all []float64
		for range 3 {
			ctx := chrome(t)
			call := func(_ any, err error) {
				if err != nil {
					t.Fatal(err)
				}
			}
			call(chromedp.Call(ctx, network.Enable, network.EnableParams{}))
			call(chromedp.Call(ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
				MatchedNetworkConditions: []*network.Conditions{{Latency: on.latency, DownloadThroughput: on.down, UploadThroughput: on.up}}}))
			call(chromedp.Call(ctx, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: on.slows}))
			do(t, ctx, chromedp.EmulateViewport(390, 844), chromedp.Navigate(srv.URL+"/"), chromedp.WaitVisible("#verdict"))
			becomes(t, ctx, `performance.getEntriesByName("first-contentful-paint").length === 1`)
			all = append(all, eval[float64](t, ctx, `performance.getEntriesByName("first-contentful-paint")[0].startTime`))
		}
		slices.Sort(all)
		t.Logf("first verdict, %s (%.0f ms latency, processor %.0f times slower): %.0f ms (median of 3)", on.name, on.latency, on.slows, all[1])
	}
}
