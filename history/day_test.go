package history

import (
	"bytes"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func well() Note {
	return Note{Verdict: OK, Links: []LinkNote{{"primary", Carries, 0}, {"cellular", StandsBy, 0.01}}}
}

// run notes once a second.
func run(d *Day, from time.Time, seconds int, n Note) (finished []Minute) {
	for i := range seconds {
		if m, done := d.Note(from.Add(time.Duration(i)*time.Second), n); done {
			finished = append(finished, m)
		}
	}
	return finished
}

func TestMinutes(t *testing.T) {
	var d Day
	finished := run(&d, noon, 90, well())
	bad := well()
	bad.Verdict, bad.Gap, bad.Lost, bad.Open = Bad, 45*time.Millisecond, [2]uint64{1, 2}, true
	bad.Links[0] = LinkNote{"primary", Down, -1}
	finished = append(finished, run(&d, noon.Add(90*time.Second), 10, bad)...)
	if len(finished) != 1 || finished[0].Seen != 59 || finished[0].Links[0].Carried != 59 || finished[0].Worst() != OK {
		t.Errorf("the first minute: %+v", finished)
	}
	all := d.Minutes(noon.Add(time.Minute))
	if len(all) != 1 {
		t.Fatalf("%d minutes", len(all))
	}
	m := all[0]
	if m.Seen != 40 || m.Verdict[Bad] != 10 || m.Open != 10 || m.Gap != 45 || m.Lost != [2]uint64{10, 20} || m.Worst() != Bad {
		t.Errorf("the second minute: %+v", m)
	}
	if p := m.Links[0]; p.Carried != 30 || p.Down != 10 || p.Measured != 30 || p.Loss != 0 {
		t.Errorf("its primary: %+v", p)
	}
	if c := m.Links[1]; c.Carried != 0 || c.Down != 0 || c.Loss < 0.0099 || c.Loss > 0.0101 {
		t.Errorf("its cellular: %+v", c)
	}
}

// What was not looked at is not there.
func TestGapsStayGaps(t *testing.T) {
	var d Day
	run(&d, noon, 60, well())
	run(&d, noon.Add(10*time.Minute), 5, well())
	all := d.Minutes(time.Time{})
	if len(all) != 2 || all[1].At != noon.Add(10*time.Minute) || all[1].Seen != 4 {
		t.Errorf("%+v", all)
	}
	// The clock is set back: nothing is noted twice, and no minute comes twice.
	run(&d, noon.Add(time.Minute), 30, well())
	if all = d.Minutes(time.Time{}); len(all) != 2 || all[1].Seen != 4+29 {
		t.Errorf("after the clock was set back: %+v", all)
	}
}

func TestADayIsKept(t *testing.T) {
	var d Day
	for i := range Kept + 100 {
		d.Note(noon.Add(time.Duration(i)*time.Minute), well())
	}
	all := d.Minutes(time.Time{})
	if len(all) != Kept || all[0].At != noon.Add(100*time.Minute) {
		t.Errorf("%d minutes from %v", len(all), all[0].At)
	}
}

// A restart takes up what the file keeps, whatever a power cut has left of its end.
func TestRestart(t *testing.T) {
	var d Day
	var file []byte
	for _, m := range run(&d, noon, 300, well()) {
		file = append(file, m.Line()...)
	}
	if !bytes.Equal(file, d.Text()) {
		t.Errorf("the file is not the text of the day:\n%s%s", file, d.Text())
	}
	file = append(file, file[:30]...)     // torn
	file = append(file, "\nrubbish\n"...) // damaged
	file = append(file, file[:bytes.IndexByte(file, '\n')+1]...)
	got := Parse(noon.Add(time.Hour), file)
	if all := got.Minutes(time.Time{}); len(all) != 4 || all[0].At != noon || all[3].Links[0].Carried != 60 {
		t.Errorf("taken up: %+v", all)
	}
	if all := Parse(noon.Add(25*time.Hour), file).Minutes(time.Time{}); len(all) != 0 {
		t.Errorf("older than a day: %+v", all)
	}
	if all := Parse(noon.Add(-time.Hour), file).Minutes(time.Time{}); len(all) != 0 {
		t.Errorf("from the future: %+v", all)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"at":"2026-11-02T12:00:00Z","seen_s":60,"verdict":[0,60,0,0,0]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d := Parse(noon.Add(time.Hour), text)
		d.Note(noon.Add(time.Hour), well())
		if all := d.Minutes(time.Time{}); len(all) > Kept {
			t.Fatalf("%d minutes", len(all))
		}
	})
}
