package status

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"scanside/access"
)

var shots = flag.String("shots", "", "folder for pictures of the pages")

// chrome is a real browser for one test; what it complains about (a script's error, a breach of the pages' own policy) fails
// the test.
func chrome(t *testing.T) context.Context {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Skip("no chromium on this machine; `make test-deps` installs it")
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("close the browser: %v", err)
		}
		cancel()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	complaints, quiet := context.WithCancel(ctx)
	var mu sync.Mutex
	var gone sync.WaitGroup
	gone.Go(func() {
		for m, err := range chromedp.Console(complaints) {
			if err != nil {
				return
			}
			if text := fmt.Sprint(m); strings.Contains(text, "error") && !strings.Contains(text, "Failed to load resource") {
				mu.Lock()
				t.Errorf("the browser says: %s", text)
				mu.Unlock()
			}
		}
	})
	t.Cleanup(func() { quiet(); gone.Wait() })
	return ctx
}

func serve(t *testing.T, b Box, cfg Config) *httptest.Server {
	t.Helper()
	s, err := New(b, quiet(cfg))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	return srv
}

// quiet is a server's configuration for a test; who does not say who comes in lets a site lead in.
func quiet(cfg Config) Config {
	if cfg.Door == nil && cfg.person == nil {
		cfg.person = func(*http.Request) access.Person { return access.Person{Name: "ada", Role: access.SiteLead} }
	}
	cfg.Log = slog.New(slog.DiscardHandler)
	return cfg
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func eval[T any](t *testing.T, ctx context.Context, js string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js))
	if err != nil {
		t.Fatalf("%s: %v", js, err)
	}
	return v
}

// becomes waits until an expression is true in the page, for at most 20 s.
func becomes(t *testing.T, ctx context.Context, js string) {
	t.Helper()
	limit, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if _, err := chromedp.Run(limit, chromedp.Poll[any](js)); err != nil {
		t.Fatalf("never became true: %s (%v); the page: %.600s", js, err, eval[string](t, ctx, "document.body.innerText"))
	}
}

// The page follows the box without being loaded again, keeps the focus where it is, and says NO DATA when the box is silent.
func TestPageIsLive(t *testing.T) {
	ctx := chrome(t)
	b := newBox(healthy(time.Now()))
	srv := serve(t, b, Config{})
	do(t, ctx, chromedp.EmulateViewport(390, 844), chromedp.Navigate(srv.URL+"/"), chromedp.WaitVisible("#verdict"))
	becomes(t, ctx, `document.getElementById("fresh").textContent.startsWith("updated")`)
	if n := eval[float64](t, ctx, `document.querySelectorAll("[aria-live]:not([hidden])").length`); n != 1 {
		t.Errorf("%v live regions are read out, want the verdict alone", n)
	}
	small := eval[[]string](t, ctx, `[...document.querySelectorAll("button, a, summary")].filter(e => e.offsetParent && e.getBoundingClientRect().height < 44 && !e.matches(".skip")).map(e => e.textContent)`)
	if len(small) > 0 {
		t.Errorf("smaller than a thumb (44 px): %q", small)
	}
	if wide := eval[float64](t, ctx, `document.documentElement.scrollWidth`); wide > 390 {
		t.Errorf("the page is %v px wide on a phone of 390", wide)
	}

	focus := `document.querySelector('#uplink-cellular form[action$="/cut"] button')`
	eval[any](t, ctx, "("+focus+").focus()")
	b.set(cut(time.Now()))
	becomes(t, ctx, `document.querySelector("#verdict.warning") && document.getElementById("uplink-primary").textContent.includes("Down")`)
	if !eval[bool](t, ctx, "document.activeElement === "+focus) {
		t.Error("the focus was lost when the page changed")
	}
	do(t, ctx, chromedp.Click(`#view-advanced`), chromedp.Click(`#uplink-primary form[action$="/restore"] button`), chromedp.Click(`#uplink-cellular .pin button`))
	becomes(t, ctx, `!document.querySelector("[aria-busy]")`)
	b.mu.Lock()
	broken, pinned := slices.Clone(b.broken), slices.Clone(b.pinned)
	b.err = errors.New("the emulator is gone")
	b.mu.Unlock()
	if !slices.Equal(broken, []string{"primary restore"}) || !slices.Equal(pinned, []string{"cellular"}) {
		t.Errorf("the box was told %q and %q", broken, pinned)
	}
	do(t, ctx, chromedp.Click(`#uplink-primary form[action$="/loss"] button`))
	becomes(t, ctx, `document.activeElement.id === "said" && document.activeElement.textContent.includes("the emulator is gone")`)

	// The loop is stuck: the stream stands, but nothing comes.
	becomes(t, ctx, `!document.getElementById("nodata").hidden && document.documentElement.hasAttribute("data-stale")`)
	text := eval[string](t, ctx, `document.getElementById("nodata").innerText + document.title`)
	if !strings.Contains(text, "NO DATA FROM BOX") || !strings.Contains(text, "Treat supervision as lost.") {
		t.Errorf("when the box is silent the page says %q", text)
	}
	b.set(healthy(time.Now()))
	becomes(t, ctx, `document.getElementById("nodata").hidden && document.querySelector("#verdict.ok")`)
}

// The room's screen says what it does not know, and who looks.
func TestRoomIsHonest(t *testing.T) {
	ctx := chrome(t)
	st := healthy(time.Now())
	st.FarEnd.People = []Person{}
	b := newBox(st)
	srv := serve(t, b, Config{})
	do(t, ctx, chromedp.EmulateViewport(1920, 1080), chromedp.Navigate(srv.URL+"/room"), chromedp.WaitVisible("#verdict"))
	small := eval[[]string](t, ctx, `[...document.querySelectorAll("button")].filter(e => e.offsetParent && e.getBoundingClientRect().height < 80).map(e => e.textContent)`)
	if len(small) > 0 {
		t.Errorf("smaller than a finger in a glove, 20 mm on a wall screen (80 px): %q", small)
	}
	becomes(t, ctx, `document.getElementById("veil-words").textContent === "Nobody is connected"`)
	if !eval[bool](t, ctx, `document.getElementById("picture").muted`) {
		t.Error("the screen starts with sound")
	}
	b.set(healthy(time.Now()))
	becomes(t, ctx, `document.getElementById("veil-words").textContent === "Waiting for Dr Ada Example’s picture" && document.getElementById("ribbon").innerText.includes("Can see this room: Dr Ada Example")`)
	if px := eval[float64](t, ctx, `parseFloat(getComputedStyle(document.querySelector("#verdict h1")).fontSize)`); px < 80 {
		t.Errorf("the verdict is %v px on a wall screen; capitals of 15 mm, to be read at three metres, are 80 on a screen of 24 inches", px)
	}
	if tall := eval[float64](t, ctx, `document.querySelector(".stage").getBoundingClientRect().height`); tall < 1080/2 {
		t.Errorf("the physician's picture has %v of 1080 px", tall)
	}
	if beyond := eval[float64](t, ctx, `document.documentElement.scrollHeight - innerHeight`); beyond > 0 {
		t.Errorf("%v px of the screen cannot be seen", beyond)
	}
	// Somebody new is announced on the page where the loudspeaker does not do it.
	heard := healthy(time.Now())
	heard.Watched.Sounds, heard.Watched.OnScreen = 2, 1
	b.set(heard)
	becomes(t, ctx, `document.getElementById("ribbon").classList.contains("new")`)
	becomes(t, ctx, `!document.getElementById("nodata").hidden`)
	text := eval[string](t, ctx, `document.getElementById("nodata").innerText`)
	if !strings.Contains(text, "NO DATA FROM BOX") || !strings.Contains(text, "Treat supervision as lost.") || !strings.Contains(text, "+1 555 0100") {
		t.Errorf("when the box is silent the screen says %q", text)
	}
}

// Pictures for people to look at: go test ./agent/status -run Shots -shots DIR
func TestShots(t *testing.T) {
	if *shots == "" {
		t.Skip("pictures are drawn on demand: -shots DIR")
	}
	ctx := chrome(t)
	for name, draw := range map[string]func(time.Time) *Status{"healthy": healthy, "cut": cut, "empty": empty, "private": private} {
		b := newBox(draw(time.Now()))
		srv := serve(t, b, Config{})
		for _, scheme := range []string{"light", "dark"} {
			for size, w := range map[string]int64{"phone": 390, "desktop": 1280} {
				b.set(draw(time.Now()))
				shoot(t, ctx, srv.URL+"/", name+"-"+size+"-"+scheme, scheme, w, 844, chromedp.FullScreenshot(100))
			}
		}
		b.set(draw(time.Now()))
		shoot(t, ctx, srv.URL+"/room", name+"-room", "dark", 1920, 1080, chromedp.CaptureScreenshot())
		b.set(draw(time.Now()))
		shoot(t, ctx, srv.URL+"/room", name+"-room-phone", "dark", 390, 844, chromedp.CaptureScreenshot())
	}
}

func shoot(t *testing.T, ctx context.Context, url, name, scheme string, w, h int64, take chromedp.Action[[]byte]) {
	t.Helper()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.EmulateViewport(w, h), chromedp.Navigate(url), chromedp.WaitVisible("#verdict"))
	becomes(t, ctx, `document.fonts.status === "loaded"`)
	png, err := chromedp.Run(ctx, take)
	if err == nil {
		err = os.WriteFile(filepath.Join(*shots, name+".png"), png, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
