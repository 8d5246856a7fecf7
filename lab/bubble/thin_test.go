package bubble

import (
	"testing"
	"time"

	"scanside/lab/emu"
	"scanside/media"
)

// "Not enough for video: keep audio" (DOMAIN 5.3, step 4). The last way out carries too little for voice and the smallest picture: the
// picture stops and says so, voice goes on without waiting behind it (two full packets of picture would take 90 ms there), and both are there again when the way carries more.
func TestPictureStopsForVoice(t *testing.T) {
	inDay(t, func(d *day) {
		d.w.Set.Impair("cellular", "cut")
		time.Sleep(5 * time.Second)
		thin := func(rate int) {
			if err := d.w.Set.Change("primary", emu.Up, func(_, now emu.Shape) emu.Shape { now.Rate = rate; return now }); err != nil {
				d.t.Fatal(err)
			}
		}
		thin(220_000)
		stopped := d.takes(30*time.Second, "the picture stops", func() bool { return d.w.Box.Agent.Snapshot().Engine.Plan.VoiceOnly })
		time.Sleep(5 * time.Second)
		d.console.Mark()
		time.Sleep(10 * time.Second)
		st := d.w.Box.Agent.Snapshot().Status
		v := d.console.Stats(media.Voice)
		d.t.Logf("the picture stopped after %v; then voice lost %d, longest gap %v; the page says %s: %s", stopped, v.Lost, v.LongestGap, st.Verdict.State, st.Verdict.Reason)
		if st.Verdict.State != "AUDIO_ONLY" || v.Lost != 0 || v.LongestGap > 100*time.Millisecond {
			d.t.Errorf("voice alone: %s; lost %d, longest gap %v", st.Verdict.State, v.Lost, v.LongestGap)
		}
		again := shows(d.console)
		thin(5_000_000)
		d.t.Logf("the picture is back after %v", d.takes(time.Minute, "the picture comes back", again))
		full := d.takes(time.Minute, "the picture is as configured again", func() bool { return d.w.Box.Agent.Snapshot().Engine.Plan.Rate == 0 })
		d.t.Logf("and as configured %v later", full)
	})
}

// Voice arms itself against what gets lost on all its links at once: 30 % on each of two is 9 % of voice, and on one alone 30 %.
func TestVoiceIsArmedAgainstLoss(t *testing.T) {
	inDay(t, func(d *day) {
		near := func(want float64) func() bool {
			return func() bool { l := d.w.Box.Voice.Loss(); return l > want-0.06 && l < want+0.06 }
		}
		if l := d.w.Box.Voice.Loss(); l > 0.01 {
			d.t.Errorf("at rest voice is told of %.0f %% loss", 100*l)
		}
		for _, u := range []string{"primary", "cellular"} {
			if err := d.w.Set.Change(u, emu.Up, func(_, now emu.Shape) emu.Shape { now.Loss = 0.3; return now }); err != nil {
				d.t.Fatal(err)
			}
		}
		d.takes(10*time.Second, "voice is told of both", near(0.09))
		d.w.Set.Impair("cellular", "cut")
		d.takes(20*time.Second, "voice is told of what is left", near(0.3))
		d.w.Set.Impair("primary", "restore")
		d.takes(30*time.Second, "voice is told that it is over", near(0))
	})
}
