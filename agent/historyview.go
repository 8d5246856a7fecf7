package agent

import (
	"fmt"
	"time"

	"scanside/agent/status"
	"scanside/history"
)

// What is marked in the graph: less is how things are on any day.
const (
	markGap  = 60.0  // ms: two packets of voice and the skew of the uplinks
	markLoss = 0.005 // of an uplink's probes
)

// drawHistory makes minutes what the page draws: a letter a minute, and marks where something stands out.
func drawHistory(all []history.Minute, names []string) *status.History {
	h := &status.History{Uplinks: []status.HistoryUplink{}, Gaps: []status.Mark{}, Lost: []status.Mark{}}
	for _, name := range names {
		h.Uplinks = append(h.Uplinks, status.HistoryUplink{Name: name, Loss: []status.Mark{}})
	}
	if len(all) == 0 {
		h.Sentence = "Nothing has been noted yet; the first minute is not over."
		return h
	}
	h.From = all[0].At
	h.Minutes = int(all[len(all)-1].At.Sub(h.From)/time.Minute) + 1
	verdict, open := dots(h.Minutes), dots(h.Minutes)
	does := make([][]byte, len(names))
	for i := range does {
		does[i] = dots(h.Minutes)
	}
	for _, m := range all {
		at := int(m.At.Sub(h.From) / time.Minute)
		if m.Seen < 1 {
			continue
		}
		verdict[at] = "uonwb"[m.Worst()]
		if m.Open >= 1 {
			open[at] = 'o'
		}
		if m.Gap >= markGap {
			h.Gaps = append(h.Gaps, status.Mark{Minute: at, Value: m.Gap})
		}
		if m.Lost[0] > 0 {
			h.Lost = append(h.Lost, status.Mark{Minute: at, Value: float64(m.Lost[0])})
		}
		for i, name := range names {
			for _, l := range m.Links {
				if l.Name != name {
					continue
				}
				switch {
				case l.Down >= 1:
					does[i][at] = 'd'
				case l.Carried >= 1:
					does[i][at] = 'c'
				default:
					does[i][at] = 's'
				}
				if l.Measured > 0 && l.Loss >= markLoss {
					h.Uplinks[i].Loss = append(h.Uplinks[i].Loss, status.Mark{Minute: at, Value: l.Loss})
				}
			}
		}
	}
	h.Verdict, h.Open = string(verdict), string(open)
	for i := range does {
		h.Uplinks[i].Does = string(does[i])
	}
	tellHistory(h, all, names)
	return h
}

func dots(n int) []byte {
	all := make([]byte, n)
	for i := range all {
		all[i] = '.' // the box did not look
	}
	return all
}

// tellHistory says the same in words, for whoever cannot see the graph or has no time to.
func tellHistory(h *status.History, all []history.Minute, names []string) {
	var seen, open, lost float64
	var verdict [5]float64
	longest := all[0]
	carried, down := make([]float64, len(names)), make([]float64, len(names))
	for _, m := range all {
		seen += m.Seen
		open += m.Open
		lost += float64(m.Lost[0])
		for g, s := range m.Verdict {
			verdict[g] += s
		}
		if m.Gap > longest.Gap {
			longest = m
		}
		for i, name := range names {
			for _, l := range m.Links {
				if l.Name == name {
					carried[i] += l.Carried
					down[i] += l.Down
				}
			}
		}
	}
	h.Sentence = fmt.Sprintf("In the %s since %s the verdict was good for %s, a warning for %s, bad for %s.", hours(seen), clockOf(all[0].At),
		hours(verdict[history.OK]+verdict[history.Notice]), hours(verdict[history.Warning]), hours(verdict[history.Bad]))
	if verdict[history.Unknown] >= 1 {
		h.Sentence += fmt.Sprintf(" It was unknown for %s.", hours(verdict[history.Unknown]))
	}
	for i := range names {
		h.Uplinks[i].Sentence = fmt.Sprintf("carried for %s, down for %s", hours(carried[i]), hours(down[i]))
	}
	h.GapSentence = "No word of the far end about pauses of voice."
	if longest.Gap > 0 {
		h.GapSentence = fmt.Sprintf("The longest pause of voice at the far end was %.0f ms, at %s; %.0f packets of voice were lost.", longest.Gap, clockOf(longest.At), lost)
	}
	if open >= 1 {
		h.GapSentence += fmt.Sprintf(" A procedure was open for %s.", hours(open))
	}
}

func clockOf(t time.Time) string { return t.Local().Format("15:04") }

// hours is a length of time as people say it of a day.
func hours(seconds float64) string {
	switch d := time.Duration(seconds * float64(time.Second)).Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	default:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
}
