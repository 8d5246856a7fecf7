package status

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// The installation and its report, on a phone and on a desk, by day and by night: no breach by axe, nothing wider than the screen,
// nothing smaller than a thumb; a yes reaches the box from a real tap.
func TestInstallationInABrowser(t *testing.T) {
	axe, err := os.ReadFile(axeFile)
	if err != nil {
		t.Skip("SKIPPED, LOUDLY: axe-core is not installed (make axe); the installation was not checked against WCAG")
	}
	ctx := chrome(t)
	b := newBox(healthy(time.Now()))
	srv := serve(t, b, Config{})
	for _, path := range []string{"/installation", "/installation/report"} {
		b.set(healthy(time.Now()))
		do(t, ctx, chromedp.Navigate(srv.URL+path), chromedp.WaitVisible("#now"), chromedp.Evaluate[chromedp.Void](string(axe)))
		for size, wh := range map[string][2]int64{"phone": {390, 844}, "desk": {1280, 900}} {
			for _, scheme := range []string{"light", "dark"} {
				emulate(t, ctx, scheme)
				do(t, ctx, chromedp.EmulateViewport(wh[0], wh[1]))
				b.set(healthy(time.Now()))
				if path == "/installation" {
					becomes(t, ctx, `document.getElementById("nodata").hidden`)
				}
				check(t, ctx, path+" "+size+" "+scheme)
				if wide := eval[float64](t, ctx, `document.documentElement.scrollWidth`); wide > float64(wh[0]) {
					t.Errorf("%s is %v px wide on a screen of %d", path, wide, wh[0])
				}
				small := eval[[]string](t, ctx, `[...document.querySelectorAll("button, a, summary")].filter(e => e.offsetParent && e.getBoundingClientRect().height < 44 && !e.matches(".skip")).map(e => e.textContent)`)
				if len(small) > 0 {
					t.Errorf("%s %s: smaller than a thumb (44 px): %q", path, size, small)
				}
			}
		}
	}
	b.set(healthy(time.Now()))
	do(t, ctx, chromedp.EmulateViewport(390, 844), chromedp.Navigate(srv.URL+"/installation"), chromedp.WaitVisible("#step-camera .ask"), chromedp.Click("#step-camera .buttons form:first-child button"))
	becomes(t, ctx, `!document.querySelector("[aria-busy]")`)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.broken) != 1 || !strings.HasSuffix(b.broken[0], " says true to camera") {
		t.Errorf("the box was told %q", b.broken)
	}
}
