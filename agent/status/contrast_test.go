package status

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// WCAG 2.2, 1.4.3: text has a contrast of 4.5 to 1 at least; 1.4.11: shapes and borders that mean something 3 to 1.
func TestContrast(t *testing.T) {
	css, err := assets.ReadFile("assets/status.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, _ := strings.Cut(string(css), "prefers-color-scheme: dark")
	day, night := colours(light), colours(dark)
	for scheme, c := range map[string]map[string]string{"light": day, "dark": night} {
		for _, tone := range []string{"ok", "notice", "warning", "bad", "unknown"} {
			atLeast(t, scheme, c, tone, tone+"-bg", 4.5)  // badge, verdict's words
			atLeast(t, scheme, c, "ink", tone+"-bg", 4.5) // verdict's sentence
			atLeast(t, scheme, c, tone, "card", 3)        // shapes on cards
		}
		for _, back := range []string{"page", "card", "press"} {
			atLeast(t, scheme, c, "ink", back, 4.5)
			atLeast(t, scheme, c, "soft", back, 4.5)
			atLeast(t, scheme, c, "notice", back, 4.5) // links
			atLeast(t, scheme, c, "bad", back, 4.5)    // the cut button
			atLeast(t, scheme, c, "focus", back, 3)
		}
	}
	room, err := assets.ReadFile("assets/room.css")
	if err != nil {
		t.Fatal(err)
	}
	wall := colours(string(room))
	for _, tone := range []string{"ink", "soft", "ok", "notice", "warning", "bad", "unknown"} {
		atLeast(t, "room", wall, tone, "panel", 7) // read from afar
		atLeast(t, "room", wall, tone, "page", 7)
	}
}

// colours are the custom properties of the first block of a style sheet.
func colours(css string) map[string]string {
	block, _, _ := strings.Cut(css, "}")
	all := map[string]string{}
	for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6})`).FindAllStringSubmatch(block, -1) {
		all[m[1]] = m[2]
	}
	return all
}

func atLeast(t *testing.T, where string, c map[string]string, front, back string, want float64) {
	t.Helper()
	if c[front] == "" || c[back] == "" {
		t.Errorf("%s: no colour %s or %s", where, front, back)
		return
	}
	a, b := luminance(t, c[front]), luminance(t, c[back])
	if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < want {
		t.Errorf("%s: %s on %s has a contrast of %.2f, want %.1f", where, front, back, ratio, want)
	}
}

// luminance is WCAG's relative luminance of a colour in hex.
func luminance(t *testing.T, hex string) float64 {
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	part := func(shift uint) float64 {
		v := float64(n>>shift&0xff) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}
