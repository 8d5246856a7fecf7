package agent

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"scanside/history"
)

// Minutes are noted, drawn for the page, and kept over a restart; the file is made short again.
func TestChronicleIsKept(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		cfg := lonely(t)
		cfg.StateDir = dir
		a, err := New(cfg, Parts{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.back.out {
			defer f.Close()
		}
		c := a.loop.chronicle
		old := history.Minute{At: time.Now().Add(-30 * time.Hour).UTC().Truncate(time.Minute), Seen: 60}
		if err := c.append(old.Line(), false); err != nil {
			t.Fatal(err)
		}
		anew := true
		for range 185 {
			time.Sleep(time.Second)
			a.loop.writeChronicle(time.Now(), a.loop.engine.Snapshot())
			select {
			case line := <-c.lines:
				if err := c.append(line, anew); err != nil {
					t.Fatal(err)
				}
				anew = false
			default:
			}
		}
		again := newChronicle(cfg.Uplinks, store{dir}, a.log)
		kept, text := again.day.Minutes(time.Time{}), string(again.day.Text())
		if len(kept) != 3 || strings.Contains(text, old.At.Format("2006-01-02T15:04")) {
			t.Errorf("%d minutes are kept:\n%s", len(kept), text)
		}
		h := again.drawn.Load()
		if h.Minutes != 3 || h.Uplinks[0].Does != "ddd" || len(h.Verdict) != 3 || !strings.Contains(h.Uplinks[0].Sentence, "down for 3 min") {
			t.Errorf("drawn: %+v", h)
		}
	})
}
