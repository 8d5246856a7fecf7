package history

import (
	"bytes"
	"encoding/json"
	"math"
	"time"
)

// Line is a minute as a file keeps it: one line of JSON, its seconds to tenths.
func (m Minute) Line() []byte {
	tenths := func(v float64) float64 { return math.Round(10*v) / 10 }
	m.Seen, m.Open = tenths(m.Seen), tenths(m.Open)
	for i := range m.Verdict {
		m.Verdict[i] = tenths(m.Verdict[i])
	}
	links := make([]Link, len(m.Links))
	for i, l := range m.Links {
		l.Carried, l.Down, l.Measured, l.Loss = tenths(l.Carried), tenths(l.Down), tenths(l.Measured), math.Round(1000*l.Loss)/1000
		links[i] = l
	}
	m.Links = links
	text, _ := json.Marshal(m) // numbers, and none of them is NaN
	return append(text, '\n')
}

// Parse takes up what a file keeps: what lies within Kept minutes before now, in order, each minute once. Lines that are none, as
// a power cut leaves them, are left out.
func Parse(now time.Time, text []byte) *Day {
	d := &Day{}
	for line := range bytes.Lines(text) {
		var m Minute
		if json.Unmarshal(line, &m) != nil {
			continue
		}
		m.At = m.At.UTC().Truncate(time.Minute)
		if m.At.After(now) || now.Sub(m.At) > Kept*time.Minute {
			continue
		}
		if k := len(d.minutes); k > 0 && !m.At.After(d.minutes[k-1].At) {
			continue
		}
		d.add(m)
	}
	return d
}

// Text is the whole day as a file keeps it, but for the minute under way.
func (d *Day) Text() []byte {
	var b bytes.Buffer
	for _, m := range d.minutes[:max(len(d.minutes)-1, 0)] {
		b.Write(m.Line())
	}
	return b.Bytes()
}
