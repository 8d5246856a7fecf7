package status

import (
	"context"
	"flag"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var shots = flag.String("shots", "", "folder for pictures of the pages in a real browser")

// Pictures for people to look at: go test ./agent/status -run Shots -shots DIR
func TestShots(t *testing.T) {
	if *shots == "" {
		t.Skip("pictures are drawn on demand: -shots DIR")
	}
	at := time.Date(2026, 11, 23, 10, 42, 16, 0, time.Local)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox)...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	for name, st := range map[string]*Status{"healthy": healthy(at), "cut": cut(at), "empty": empty(at)} {
		srv := serve(t, newBox(st), Config{})
		for _, dark := range []string{"light", "dark"} {
			for size, w := range map[string]int64{"phone": 390, "desktop": 1280} {
				shoot(t, ctx, srv.URL+"/", filepath.Join(*shots, name+"-"+size+"-"+dark+".png"), dark, w, 844, true)
			}
		}
		shoot(t, ctx, srv.URL+"/room", filepath.Join(*shots, name+"-room.png"), "dark", 1920, 1080, false)
	}
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

func quiet(cfg Config) Config {
	cfg.Log = slog.New(slog.DiscardHandler)
	return cfg
}

func shoot(t *testing.T, ctx context.Context, url, file, scheme string, w, h int64, whole bool) {
	t.Helper()
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}); err != nil {
		t.Fatal(err)
	}
	err := chromedp.Do(ctx, chromedp.EmulateViewport(w, h), chromedp.Navigate(url), chromedp.WaitVisible("#verdict"), chromedp.Sleep(300*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	take := chromedp.CaptureScreenshot()
	if whole {
		take = chromedp.FullScreenshot(100)
	}
	png, err := chromedp.Run(ctx, take)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, png, 0o644); err != nil {
		t.Fatal(err)
	}
}
