package scenario

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Result is what a world measured. Streams are counted where they are merged: voice and video at the far end by a viewer,
// return in the room. Nothing in them is the sender's word.
type Result struct {
	Scenario string `json:"scenario"`
	World    string `json:"world"` // bubble or netns
	Way
	Return Way `json:"return"`
	// Switchovers is how often the agent moved a stream with a need: copies that came or went because all is well do not count.
	Switchovers uint64 `json:"switchovers"`
	// DetectMS is from the first thing done to an uplink until the agent held that uplink for anything but up and beyond
	// suspicion; SwitchMS until no stream was routed over it any more. Null where it did not come to that.
	DetectMS *float64 `json:"detect_ms"`
	SwitchMS *float64 `json:"switch_ms"`
}

// Way is both streams in one direction.
type Way struct {
	Voice Voice `json:"voice"`
	Video Video `json:"video"`
}

// Voice is in packets.
type Voice struct {
	Sent         uint64  `json:"sent"`
	Lost         uint64  `json:"lost"`
	LongestGapMS float64 `json:"longest_gap_ms"`
	// Late is how many took longer than 200 ms from the source to here; null where packets do not tell when they were sent.
	Late *uint64 `json:"later_than_200_ms"`
}

// Video is in frames. KeyFrameRequests are those the source was asked for during the scenario.
type Video struct {
	FramesSent       uint64  `json:"frames_sent"`
	FramesLost       uint64  `json:"frames_lost"`
	LongestFreezeMS  float64 `json:"longest_freeze_ms"`
	KeyFrameRequests uint64  `json:"key_frame_requests"`
}

// Line is the result as one line of JSON.
func (r Result) Line() string {
	text, err := json.Marshal(r)
	if err != nil { // only a NaN could do it
		return fmt.Sprintf(`{"scenario":%q,"error":%q}`, r.Scenario, err)
	}
	return string(text)
}

// Expectation is one thing that must be true of the result.
type Expectation struct {
	Name   string // as in the JSON line, with dots: return.voice.lost
	AtMost bool   // else exactly
	Value  float64
	Owed   bool // what users need and we do not reach yet: told, and not asserted
}

// OnClock reports whether the expectation is about time, which a world on real clocks does not decide by.
func (x Expectation) OnClock() bool { return strings.HasSuffix(x.Name, "_ms") }

// Holds compares. A value the world could not measure does not hold.
func (x Expectation) Holds(r Result) bool {
	v, known := r.value(x.Name)
	switch {
	case !known:
		return false
	case x.AtMost:
		return v <= x.Value
	}
	return v == x.Value
}

// String says what is expected.
func (x Expectation) String() string {
	sign := "="
	if x.AtMost {
		sign = "<="
	}
	word := "expect"
	if x.Owed {
		word = "owed"
	}
	return fmt.Sprintf("%s %s %s %g", word, x.Name, sign, x.Value)
}

// Seen is the value behind an expectation in words.
func (x Expectation) Seen(r Result) string {
	v, known := r.value(x.Name)
	if !known {
		return "not measured"
	}
	return fmt.Sprintf("%g", v)
}

// Names lists everything that can be expected, in the order of the JSON line.
func Names() []string {
	var names []string
	leaves(reflect.ValueOf(Result{}), "", func(name string, _ reflect.Value) { names = append(names, name) })
	return names
}

func (r Result) value(name string) (v float64, known bool) {
	leaves(reflect.ValueOf(r), "", func(n string, leaf reflect.Value) {
		if n != name {
			return
		}
		if leaf.Kind() == reflect.Pointer {
			if leaf.IsNil() {
				return
			}
			leaf = leaf.Elem()
		}
		known = true
		if leaf.CanUint() {
			v = float64(leaf.Uint())
		} else {
			v = leaf.Float()
		}
	})
	return v, known
}

// leaves visits the numbers of a result by the names of the JSON line.
func leaves(v reflect.Value, prefix string, visit func(name string, leaf reflect.Value)) {
	for field, value := range v.Fields() {
		tag := field.Tag.Get("json")
		switch {
		case field.Anonymous:
			leaves(value, prefix, visit)
		case value.Kind() == reflect.Struct:
			leaves(value, prefix+tag+".", visit)
		case value.Kind() != reflect.String:
			visit(prefix+tag, value)
		}
	}
}
