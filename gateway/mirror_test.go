package gateway

import (
	"testing"
	"time"

	"scanside/media"
)

// One copy on one uplink, which turns into a black hole. When the box moves over, the room gets what it has not acknowledged
// over the new uplink at once: nothing is lost, no key frame is asked for.
func TestReturnIsReplayed(t *testing.T) {
	bubble(t, []string{"2", "3", "60"}, func(t *testing.T, w *world) {
		b := w.newBox("box-1", "run-1", "2", "3")
		doc, err := w.talkAs("ada", "60", "")
		must(t, err)
		b.carry("2")
		time.Sleep(2 * time.Second)
		for _, c := range b.merged {
			c.Mark()
		}
		asked, before := doc.KeyFrameRequests(), b.back["3"][media.Video].Load()
		const deaf = 150 * time.Millisecond
		w.cut("2")
		time.Sleep(deaf)
		b.carry("3")
		time.Sleep(100 * time.Millisecond)
		again := b.back["3"][media.Video].Load() - before
		time.Sleep(2 * time.Second)
		for k, c := range b.merged {
			c.End()
			s := c.Stats()
			t.Logf("%v: %+v", media.Kind(k), s)
			if s.Lost != 0 || s.FramesLost != 0 {
				t.Errorf("%v: %d packets and %d frames lost", media.Kind(k), s.Lost, s.FramesLost)
			}
			// From the last packet before the cut: the box's patience, there and back (G6), a frame of video.
			if limit := deaf + 2*oneWay + 60*time.Millisecond; max(s.LongestGap, s.LongestFreeze) > limit {
				t.Errorf("%v: gap %v, freeze %v, want %v at most", media.Kind(k), s.LongestGap, s.LongestFreeze, limit)
			}
		}
		sums := &w.room("north").sums
		t.Logf("replayed %+v; %d packets of the picture within 100 ms", sums.replayed, again)
		if n := sums.replayed[media.Video]; n.packets < 30 || n.packets > 90 || n.bytes < 30*500 {
			t.Errorf("replayed %+v of the picture", n)
		}
		if n := doc.KeyFrameRequests() - asked; n != 0 {
			t.Errorf("%d key frames asked of the talker", n)
		}
	})
}

// A single packet on a leg that carries nothing (SRTP's count is kept with one now and then) does not bring the way back.
func TestOnePacketOpensNothing(t *testing.T) {
	bubble(t, []string{"2", "3", "60"}, func(t *testing.T, w *world) {
		b := w.newBox("box-1", "run-1", "2", "3")
		_, err := w.talkAs("ada", "60", "")
		must(t, err)
		b.carry("2")
		time.Sleep(2 * time.Second)
		before := b.back["3"][media.Video].Load()
		b.legs["3"][media.Video].Resend([]uint16{uint16(b.fans[media.Video].Stats().Highest)})
		time.Sleep(time.Second)
		if n := b.back["3"][media.Video].Load() - before; n != 0 {
			t.Errorf("one packet over an uplink brought %d back", n)
		}
	})
}

// What was said to the room before this talk is not said again, whatever the room has acknowledged.
func TestEarlierTalkIsNotReplayed(t *testing.T) {
	bubble(t, []string{"2", "3", "60", "61"}, func(t *testing.T, w *world) {
		b := w.newBox("box-1", "run-1", "2", "3")
		_, err := w.talkAs("ada", "60", "")
		must(t, err)
		b.carry("2")
		time.Sleep(2 * time.Second)
		w.cut("2") // the room does not hear the end of the first talk
		time.Sleep(200 * time.Millisecond)
		_, err = w.talkAs("bob", "61", "?takeover=1")
		must(t, err)
		second := w.room("north").talk
		time.Sleep(20 * time.Millisecond)
		b.carry("3")
		time.Sleep(500 * time.Millisecond)
		for k := range b.merged {
			s, begin := b.mergers[k].Stats(), second.before[k]
			if s.Missing+s.Lost == 0 {
				t.Errorf("%v: the room misses nothing of the first talk", media.Kind(k))
			}
			if int16(uint16(s.Highest)-uint16(begin)) <= 0 {
				t.Errorf("%v: the room has nothing of the second talk", media.Kind(k))
			}
		}
	})
}

func TestAck(t *testing.T) {
	var a ack
	if _, known := a.last(); known {
		t.Error("known before the first word")
	}
	start := time.Unix(1000, 0)
	for i, c := range []struct {
		at   time.Duration
		word uint16
		want uint16
	}{
		{0, 65530, 65530}, {10 * time.Millisecond, 3, 3}, {20 * time.Millisecond, 65535, 3}, // one that was overtaken
		{1500 * time.Millisecond, 60000, 60000}, // the room counts anew
	} {
		a.take(start.Add(c.at), c.word)
		if got, known := a.last(); got != c.want || !known {
			t.Errorf("word %d: %d %v, want %d", i, got, known, c.want)
		}
	}
}
