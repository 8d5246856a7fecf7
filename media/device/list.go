package device

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Inventory is what is plugged in. It marshals to JSON as `scanside devices --json` prints it.
type Inventory struct {
	Cameras      []CameraInfo `json:"cameras"`
	Microphones  []SoundInfo  `json:"microphones"`
	Loudspeakers []SoundInfo  `json:"loudspeakers"`
	Notes        []string     `json:"notes"` // what is missing or could not be asked, in sentences
}

// CameraInfo is one camera.
type CameraInfo struct {
	Device  string   `json:"device"` // what to write into the configuration: the most stable name
	Node    string   `json:"node"`   // "/dev/video0", until the next start
	Names   []string `json:"names"`  // all stable names, as paths
	Card    string   `json:"card"`   // what it calls itself
	Bus     string   `json:"bus"`
	Modes   []Mode   `json:"modes"`   // that can be used here
	Chosen  *Mode    `json:"chosen"`  // what would be used by default; null: none can be
	Problem string   `json:"problem"` // why it cannot be used; empty: it can
}

// Mode is one way a camera can work.
type Mode struct {
	Format string  `json:"format"` // V4L2's four letters
	Width  int     `json:"width"`
	Height int     `json:"height"`
	FPS    float64 `json:"fps"` // pictures a second at most; 0: the camera does not say
}

func (m Mode) String() string {
	if m.FPS == 0 {
		return fmt.Sprintf("%s %dx%d", m.Format, m.Width, m.Height)
	}
	return fmt.Sprintf("%s %dx%d@%.4g", m.Format, m.Width, m.Height, m.FPS)
}

// SoundInfo is one sound card in one direction.
type SoundInfo struct {
	Device string `json:"device"` // what to write into the configuration: ALSA's card id
	Card   string `json:"card"`   // what it calls itself
	Index  int    `json:"index"`  // "card0", until the next start
}

// List asks the machine what is plugged in. What cannot be asked becomes a note, so there is always an answer. It takes
// some milliseconds a camera and does not disturb one that is in use.
func List() Inventory { return list("/") }

func list(root string) Inventory {
	inv := Inventory{Cameras: []CameraInfo{}, Microphones: []SoundInfo{}, Loudspeakers: []SoundInfo{}, Notes: []string{}}
	for _, n := range videoNodes(root) {
		if c, ok := describe(n); ok {
			inv.Cameras = append(inv.Cameras, c)
		}
	}
	cards, err := soundCards(root)
	if err != nil {
		inv.Notes = append(inv.Notes, err.Error())
	}
	for _, c := range cards {
		info := SoundInfo{Device: c.id, Card: c.name, Index: c.index}
		if len(c.capture) > 0 {
			inv.Microphones = append(inv.Microphones, info)
		}
		if len(c.playback) > 0 {
			inv.Loudspeakers = append(inv.Loudspeakers, info)
		}
	}
	inv.Notes = append(inv.Notes, inv.missing(root)...)
	return inv
}

// describe asks one node; false: it is no camera (cameras have nodes for metadata, too).
func describe(n videoNode) (CameraInfo, bool) {
	c := CameraInfo{Device: n.path, Node: n.path, Names: append([]string{}, n.names...), Modes: []Mode{}}
	if len(n.names) > 0 {
		c.Device = n.names[0]
	}
	kernel, err := openV4L2(n.path)
	if err != nil {
		c.Problem = explainCamera(n.path, err).Error()
		return c, true
	}
	defer kernel.Close()
	info, err := kernel.info()
	if err != nil || !info.captures {
		return c, false
	}
	c.Card, c.Bus = info.card, info.bus
	for _, m := range info.modes {
		if formatRank(m.format) >= 0 {
			c.Modes = append(c.Modes, m.public())
		}
	}
	if best, ok := choose(info.modes, VideoConfig{}.orDefaults()); ok {
		m := best.public()
		c.Chosen = &m
	} else {
		c.Problem = "it offers no picture format that can be used here; it has: " + formats(info.modes)
	}
	return c, true
}

func (m mode) public() Mode { return Mode{m.format.String(), m.width, m.height, m.fps} }

// missing says in sentences what is not there.
func (inv Inventory) missing(root string) []string {
	var notes []string
	if len(inv.Cameras) == 0 {
		notes = append(notes, "no camera found: plug one in; Linux then shows /dev/video0")
	}
	noSound := ""
	if _, err := os.Stat(filepath.Join(root, "proc/asound")); err != nil {
		noSound = " (this kernel has no ALSA)"
	}
	if len(inv.Microphones) == 0 {
		notes = append(notes, "no microphone found: plug one in; Linux then lists its card in /proc/asound/cards"+noSound)
	}
	if len(inv.Loudspeakers) == 0 {
		notes = append(notes, "no loudspeaker found: plug one in; Linux then lists its card in /proc/asound/cards"+noSound)
	}
	return notes
}

// WriteText prints the inventory for people.
func (inv Inventory) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, c := range inv.Cameras {
		fmt.Fprintf(&b, "camera       %s\n", c.Device)
		if c.Card != "" {
			fmt.Fprintf(&b, "             %s %s, %s\n", c.Card, c.Bus, c.Node)
		}
		for _, name := range slices.DeleteFunc(slices.Clone(c.Names), func(n string) bool { return n == c.Device }) {
			fmt.Fprintf(&b, "             also %s\n", name)
		}
		writeModes(&b, c.Modes)
		if c.Chosen != nil {
			fmt.Fprintf(&b, "             by default: %v\n", *c.Chosen)
		}
		if c.Problem != "" {
			fmt.Fprintf(&b, "             problem: %s\n", c.Problem)
		}
	}
	for _, s := range inv.Microphones {
		fmt.Fprintf(&b, "microphone   %s\n             %s, card%d\n", s.Device, s.Card, s.Index)
	}
	for _, s := range inv.Loudspeakers {
		fmt.Fprintf(&b, "loudspeaker  %s\n             %s, card%d\n", s.Device, s.Card, s.Index)
	}
	for _, note := range inv.Notes {
		fmt.Fprintln(&b, note)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeModes prints a line for each format.
func writeModes(b *strings.Builder, modes []Mode) {
	for i, m := range modes {
		switch {
		case i > 0 && m.Format == modes[i-1].Format:
			fmt.Fprintf(b, ", %s", strings.TrimPrefix(m.String(), m.Format+" "))
		case i > 0:
			b.WriteByte('\n')
			fallthrough
		default:
			fmt.Fprintf(b, "             %v", m)
		}
	}
	if len(modes) > 0 {
		b.WriteByte('\n')
	}
}
