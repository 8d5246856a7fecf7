package link

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"scanside/media"
)

// A far end that knows nothing of probes: RTCP reports measure the path, an outage is seen, and nothing is asked of it
// that it does not know.
func TestPlainFarEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10*time.Millisecond, "2")
		defer w.close()
		w.serve(func(rw http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			plain := strings.ReplaceAll(string(body), "a="+echoAttribute+":1\r\n", "")
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(plain)), int64(len(plain))
			w.far.ServeHTTP(rw, r)
		})
		s, l := dial(t, w.config("2"))
		if s.Echoes() {
			t.Fatal("the far end said that it answers probes")
		}
		go stream(s.Leg(media.Voice), media.Voice, 1, 3000, 20*time.Millisecond)
		time.Sleep(10 * time.Second)
		answered := 0
		for _, sample := range l.take() {
			if !sample.Answered || (sample.RTT-20*time.Millisecond).Abs() > 2*time.Millisecond {
				t.Errorf("%+v", sample)
			}
			answered++
		}
		if answered < 8 {
			t.Errorf("%d samples in 10 s", answered)
		}
		w.cut("2")
		time.Sleep(10 * time.Second)
		missed := 0
		for _, sample := range l.take() {
			if !sample.Answered {
				missed++
			}
		}
		if missed < 5 {
			t.Errorf("%d missed in an outage of 10 s", missed)
		}
		w.cut()
		time.Sleep(5 * time.Second)
		if last := lastAnswer(t, l.take()); len(last.Far) != 1 || (last.Far[0].Kind == media.Voice && last.Far[0].Lost < 400) {
			t.Errorf("after the outage: %+v", last)
		}
		if s.Err() != nil {
			t.Error(s.Err())
		}
		time.Sleep(40 * time.Second)
		must(t, s.Close())
	})
}
