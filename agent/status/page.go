package status

import (
	"bytes"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"sync"
	"time"
)

// page is one template. Its "now" part is drawn for the first answer and for every event alike, so what a browser without
// script reads and what the script shows are the same words.
type page struct {
	name string
	tmpl *template.Template

	mu   sync.Mutex
	of   *Status // what event was drawn from
	text []byte
}

func parsePage(name string) (*page, error) {
	t, err := template.New(name).Funcs(words()).ParseFS(assets, "assets/"+name, "assets/parts.html", "assets/sections/*.html")
	if err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return &page{name: name, tmpl: t}, nil
}

func (p *page) draw(part string, data any) ([]byte, error) {
	var b bytes.Buffer
	err := p.tmpl.ExecuteTemplate(&b, part, data)
	return b.Bytes(), err
}

// event draws the changing part once for all who watch.
func (p *page) event(st *Status) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of == st {
		return p.text, nil
	}
	var b bytes.Buffer
	if err := p.tmpl.ExecuteTemplate(&b, "now", st); err != nil {
		return nil, err
	}
	p.of, p.text = st, frame("page", b.Bytes())
	return p.text, nil
}

// words are the template's functions. Time is always the snapshot's own, so that one snapshot draws one page.
func words() template.FuncMap {
	return template.FuncMap{
		"clock":   func(t time.Time) string { return t.Local().Format("15:04:05") },
		"iso":     func(t time.Time) string { return t.Format(time.RFC3339) },
		"isoday":  func(t time.Time) string { return t.Local().Format("2006-01-02") },
		"act":     func(st *Status, step string) stepAct { return stepAct{step, st} },
		"day":     func(t time.Time) string { return t.Format("2 January") },
		"hourly":  func(v *float64) string { return size(uint64(*v)) },
		"between": func(from, to time.Time) string { return span(to.Sub(from)) },
		"ms":      milliseconds,
		"percent": percent,
		"kind":    kindWord,
		"and":     and,
		"kinds": func(kinds []string) string {
			out := make([]string, len(kinds))
			for i, k := range kinds {
				out[i] = kindWord(k)
			}
			return and(out)
		},
		"size":     size,
		"bytes":    func(n int) string { return size(uint64(n)) },
		"rate":     rate,
		"thousand": thousand,
		"first": func(n int, events []Event) []Event {
			return events[:min(n, len(events))]
		},
		"title": title,
		"stream": func(kind string, all []Stream) *Stream {
			for i := range all {
				if all[i].Kind == kind {
					return &all[i]
				}
			}
			return nil
		},
		"zone":     func(t time.Time) int { _, offset := t.Local().Zone(); return offset },
		"age":      func(then, now time.Time) int64 { return max(now.Sub(then).Milliseconds(), 0) },
		"prefer":   prefer,
		"meter":    func(name string, s Sound) meter { return meter{name, s} },
		"mute":     func(device string, m Mute) muteButton { return muteButton{device, m} },
		"cansee":   canSee,
		"talking":  talking,
		"watching": watching,
		"stories":  stories,
	}
}

// meter is a level with its device's name.
type meter struct {
	Name string
	Sound
}

// title begins with a capital.
func title(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// stepAct is a step of the installation, and what its buttons go by.
type stepAct struct {
	Name   string
	Status *Status
}

// muteButton is a device's state with its name.
type muteButton struct {
	Device string
	Mute
}

// canSee says who can look in; a muted device is said with it, for who can see a room without its camera?
func canSee(st *Status) string {
	names := slices.Clone(st.Watched.Here)
	for i := range names {
		names[i] += " (status page)"
	}
	for _, p := range st.FarEnd.People {
		names = append(names, p.Name)
	}
	c, m := st.Privacy.Camera.Muted, st.Privacy.Microphone.Muted
	switch {
	case !st.FarEnd.Known && c && m:
		return "Not known who is connected; camera and microphone are off"
	case !st.FarEnd.Known && len(names) > 0:
		return "Can see this room: " + strings.Join(names, ", ") + "; not known who else"
	case !st.FarEnd.Known:
		return "Not known who can see this room"
	case len(names) == 0:
		return "Nobody can see this room"
	case c && m:
		return "Connected, but can neither see nor hear: " + strings.Join(names, ", ")
	case c:
		return "Can hear this room: " + strings.Join(names, ", ")
	case m:
		return "Can see, but not hear: " + strings.Join(names, ", ")
	}
	return "Can see this room: " + strings.Join(names, ", ")
}

// stories are the newest switchovers that were not routine.
func stories(all []Switchover) []Switchover {
	const most = 5
	var some []Switchover
	for _, s := range all {
		if !s.Routine && len(some) < most {
			some = append(some, s)
		}
	}
	return some
}

// watching is what the room reads where the physician's picture would be while nobody talks to it.
func watching(f FarEnd) string {
	var names []string
	for _, p := range f.People {
		if p.Sees || p.Hears {
			names = append(names, p.Name)
		}
	}
	switch {
	case !f.Known:
		return "Not known who is connected"
	case len(names) == 1:
		return names[0] + " watches"
	case len(names) > 1:
		return and(names) + " watch"
	case len(f.People) > 0:
		return f.People[0].Name + " is connected, but does not watch"
	}
	return "Nobody is connected"
}

func talking(people []Person) string {
	for _, p := range people {
		if p.Talks {
			return p.Name
		}
	}
	return ""
}

func kindWord(k string) string {
	if k == "video" {
		return "picture"
	}
	return k
}

// and joins words as people do: "a, b and c".
func and(list []string) string {
	switch n := len(list); n {
	case 0:
		return "nothing"
	case 1:
		return list[0]
	default:
		return strings.Join(list[:n-1], ", ") + " and " + list[n-1]
	}
}

// span is a length of time in one unit, as people say it.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return "a moment"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}

func milliseconds(v *float64) string {
	switch {
	case *v < 10:
		return fmt.Sprintf("%.1f ms", *v)
	default:
		return fmt.Sprintf("%.0f ms", *v)
	}
}

func percent(v *float64) string {
	switch {
	case *v == 0:
		return "0 %"
	case *v < 0.1:
		return fmt.Sprintf("%.1f %%", *v*100)
	default:
		return fmt.Sprintf("%.0f %%", *v*100)
	}
}

func decibels(v float64) string { return fmt.Sprintf("%.0f dBFS", v) }

func size(n uint64) string {
	switch {
	case n < 1_000_000:
		return fmt.Sprintf("%d kB", n/1000)
	case n < 1_000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	default:
		return fmt.Sprintf("%.2f GB", float64(n)/1e9)
	}
}

func rate(bps float64) string {
	if bps < 1e6 {
		return fmt.Sprintf("%.0f kbit/s", bps/1e3)
	}
	return fmt.Sprintf("%.1f Mbit/s", bps/1e6)
}

// thousand groups digits with thin spaces: 12 345.
func thousand(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}
