package link

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"scanside/media"
)

// strangers makes the world's far end one that knows nothing of probes.
func (w *world) strangers() {
	w.serve(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		plain := strings.ReplaceAll(string(body), "a="+echoAttribute+":1\r\n", "")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(plain)), int64(len(plain))
		w.far.ServeHTTP(rw, r)
	})
}

// A far end that knows nothing of probes: ICE's checks measure the path as probes would, receiver reports say what arrived,
// an outage is seen at once, and nothing is asked of it that it does not know.
func TestPlainFarEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Millisecond, "2")
		defer w.close()
		w.strangers()
		s, l := dial(t, w.config("2"))
		if s.Echoes() {
			t.Fatal("the far end said that it answers probes")
		}
		go stream(s.Leg(media.Voice), media.Voice, 1, 3000, 20*time.Millisecond)
		time.Sleep(10 * time.Second)
		answered, reports := 0, 0
		for _, sample := range l.take() {
			if !sample.Answered || (sample.RTT-20*time.Millisecond).Abs() > 2*time.Millisecond {
				t.Errorf("%+v", sample)
			}
			answered++
			if len(sample.Far) == 1 {
				reports++
				if far := sample.Far[0]; far.Lost != 0 || len(far.Legs) != 1 || far.Legs[0].Uplink != "u2" || far.Legs[0].Received != far.Received {
					t.Errorf("%+v", far)
				}
			}
		}
		if answered < 190 || reports < 8 {
			t.Errorf("%d samples, %d of them with a report, in 10 s", answered, reports)
		}
		w.cut("2")
		time.Sleep(time.Second)
		if missed := misses(l.take()); missed < 15 {
			t.Errorf("%d missed in the first second of an outage", missed)
		}
		time.Sleep(9 * time.Second)
		w.cut()
		time.Sleep(5 * time.Second)
		var last Sample
		for _, sample := range l.take() {
			if len(sample.Far) > 0 {
				last = sample
			}
		}
		if len(last.Far) != 1 || last.Far[0].Kind != media.Voice || last.Far[0].Lost < 400 {
			t.Errorf("after the outage: %+v", last)
		}
		if s.Err() != nil {
			t.Error(s.Err())
		}
		time.Sleep(40 * time.Second)
		must(t, s.Close())
	})
}

func misses(samples []Sample) (n int) {
	for _, s := range samples {
		if !s.Answered {
			n++
		}
	}
	return n
}

// A leg that rests while another carries the stream goes on with the next number; a packet from before the rest, whose number
// would be another's (and with it the cipher's key stream), does not go out; and what is asked again is translated.
func TestPlainNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p plain
		send := func(own, want uint16, goes bool) {
			t.Helper()
			got, ok := p.sent(media.Voice, packetOf(own))
			if ok != goes || ok && got != want {
				t.Errorf("packet %d went as %d, %v; want %d, %v", own, got, ok, want, goes)
			}
		}
		send(65534, 65534, true)
		send(65535, 65535, true)
		send(1, 1, true) // 0 was lost on the way to us: a hole that the far end may see
		send(0, 0, true) // late
		time.Sleep(time.Second)
		send(2, 2, true) // a pause of the source's is no rest
		time.Sleep(time.Second)
		send(52, 3, true)
		send(53, 4, true)
		send(51, 0, false)
		send(2, 0, false)
		send(52, 3, true) // again
		var asked []uint16
		p.repair(func(_ media.Kind, seqs []uint16) { asked = seqs })(media.Voice, []uint16{1, 3, 4})
		if !slices.Equal(asked, []uint16{52, 53}) {
			t.Errorf("asked again for %d", asked)
		}
	})
}

func packetOf(number uint16) *rtp.Packet {
	return &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: number}}
}
