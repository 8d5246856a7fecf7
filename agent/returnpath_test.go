package agent

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"scanside/media"
)

func numbered(n uint16) *rtp.Packet {
	return &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: n}, Payload: []byte{1}}
}

// A link that is still being dialled when another one begins a generation goes into it too.
func TestGenerationTakesDiallingLinksAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReturnPath()
		old := r.link(0, "primary")
		old.open(nil)
		old.take(media.Voice, numbered(100))
		old.close()
		time.Sleep(time.Second)

		a, b := r.link(0, "primary"), r.link(1, "cellular")
		a.open(nil)
		a.take(media.Voice, numbered(500))
		b.take(media.Voice, numbered(500))
		b.open(nil)
		a.close()
		before := r.stats(media.Voice).Received
		for n := range uint16(100) {
			time.Sleep(20 * time.Millisecond)
			b.take(media.Voice, numbered(501+n))
		}
		if got := r.stats(media.Voice).Received - before; got != 100 {
			t.Errorf("%d of 100 packets went on to the room", got)
		}
		if at := r.last(1, media.Voice); time.Since(at) > time.Millisecond {
			t.Errorf("the link that brings it all was last seen %v ago", time.Since(at))
		}
		if at := r.came(media.Voice); time.Since(at) > time.Millisecond {
			t.Errorf("the room last got a packet %v ago", time.Since(at))
		}
	})
}

// What arrives but does not go on to the room keeps nothing fresh.
func TestSwallowedPacketsAreNotFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReturnPath()
		if !r.came(media.Voice).IsZero() {
			t.Error("something came before the first packet")
		}
		a := r.link(0, "primary")
		a.open(nil)
		a.take(media.Voice, numbered(500))
		time.Sleep(2 * time.Second)
		a.take(media.Voice, numbered(500)) // a copy
		r.mu.Lock()
		r.now.over.Store(true)
		r.now = r.begin() // and a itself left behind
		r.mu.Unlock()
		a.take(media.Voice, numbered(501))
		if got := time.Since(r.came(media.Voice)).Round(time.Millisecond); got != 2*time.Second {
			t.Errorf("the room last got a packet %v ago, want 2s", got)
		}
		if !r.last(0, media.Voice).IsZero() {
			t.Error("a link that was left behind looks as if it brought something")
		}
		a.close()
		late := r.link(1, "cellular")
		late.close()
		late.take(media.Voice, numbered(900)) // closed meanwhile: joins nothing
		if len(r.all) != 0 {
			t.Errorf("%d links are left", len(r.all))
		}
	})
}
