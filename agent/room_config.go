package agent

import (
	"path/filepath"
	"strings"
	"unicode"

	"scanside/config"
)

// Room is what stands in the room besides camera and microphone.
type Room struct {
	Phone   string  `yaml:"phone"`    // what its screen says to phone when supervision is lost, or nothing comes from the box
	Light   string  `yaml:"light"`    // a file that takes a brightness; it is lit while somebody may watch
	MuteKey MuteKey `yaml:"mute_key"` //
}

// MuteKey is an input device whose keys turn the mutes. A code of 0 is no key.
type MuteKey struct {
	Device     string `yaml:"device"`     // a stable path, as in /dev/input/by-id
	Camera     int    `yaml:"camera"`     // code of a key, as in linux/input-event-codes.h
	Microphone int    `yaml:"microphone"` // the same key may turn both
}

// longestPhone is what fits a line of the room's screen in letters to be read at three metres.
const longestPhone = 32

func (r Room) check(m *config.Mistakes) {
	if len(r.Phone) > longestPhone || strings.ContainsFunc(r.Phone, func(c rune) bool { return !unicode.IsPrint(c) }) {
		m.Add("room.phone", "%q is not a number to read from afar; use at most %d characters", r.Phone, longestPhone)
	}
	if r.Light != "" && !filepath.IsAbs(r.Light) {
		m.Add("room.light", "%q is not a whole path; write e.g. /sys/class/leds/on-air/brightness", r.Light)
	}
	k := r.MuteKey
	if k == (MuteKey{}) {
		return
	}
	if !filepath.IsAbs(k.Device) {
		m.Add("room.mute_key.device", "%q is not a whole path; write one of /dev/input/by-id, which stays the same over a restart", k.Device)
	}
	if k.Camera == 0 && k.Microphone == 0 {
		m.Add("room.mute_key.camera", "is missing, and microphone too; give the code of a key, e.g. 113 (`evtest` prints it)")
	}
	code := func(path string, n int) {
		if n < 0 || n > mostKeyCode {
			m.Add(path, "%d is not the code of a key; use 1 to %d", n, mostKeyCode)
		}
	}
	code("room.mute_key.camera", k.Camera)
	code("room.mute_key.microphone", k.Microphone)
}
