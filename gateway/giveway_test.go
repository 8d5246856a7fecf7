package gateway

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A newer version is installed while a supervisor shows a room: the gateway serves on, and ends ten seconds after he left.
func TestGivesWayWhenNobodyLooksIn(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		file := filepath.Join(t.TempDir(), "restart-when-free")
		g := w.Gateway
		g.cfg.GiveWay = file
		r, sess := g.rooms[0], &session{user: User{Name: "moss", Role: Supervisor}}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ended := make(chan struct{})
		go func() { defer close(ended); g.giveWay(ctx) }()
		must(t, os.WriteFile(file, nil, 0o600))
		for range 60 { // the window says again and again that it shows the room
			r.attend(sess, "window", true, true, time.Now())
			time.Sleep(time.Second)
		}
		select {
		case <-ended:
			t.Fatal("it ended while a supervisor was there")
		default:
		}
		r.depart(sess, "window", time.Now())
		left := time.Now()
		<-ended
		if after := time.Since(left); after < wayFree || after > wayFree+2*wayLook {
			t.Errorf("it ended %v after the last one left", after)
		}
	})
}
