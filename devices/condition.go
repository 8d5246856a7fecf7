package devices

import "fmt"

// Condition is what is known of one device. The zero value is Unknown.
type Condition uint8

// The conditions.
const (
	Unknown Condition = iota
	OK
	Doubtful
	Failed
)

var conditionWords = [...]string{Unknown: "unknown", OK: "ok", Doubtful: "doubtful", Failed: "failed"}

// String is the word in traces, metrics and the API.
func (c Condition) String() string { return conditionWords[c] }

// worth orders conditions: more is better.
func (c Condition) worth() int { return [...]int{Unknown: 1, OK: 3, Doubtful: 2, Failed: 0}[c] }

func readCondition(word string) (Condition, error) {
	for c, w := range conditionWords {
		if w == word {
			return Condition(c), nil
		}
	}
	return Unknown, fmt.Errorf("%q is no condition; write ok, doubtful, failed or unknown", word)
}

// Reason is why another device is used: a closed set.
type Reason uint8

// The reasons.
const (
	None       Reason = iota
	LostDevice        // the one used failed
	Doubt             // the one used is in doubt, and another is not
	Preferred         // a preferred one has proven itself
	Better            // the one used had nothing to give yet, or all were failed, and this one works
)

var reasonWords = [...]string{None: "none", LostDevice: "failed", Doubt: "doubtful", Preferred: "preferred", Better: "first"}

// String is the code word of a metric's label.
func (r Reason) String() string { return reasonWords[r] }

// Reasons lists all that change the device.
func Reasons() []Reason { return []Reason{LostDevice, Doubt, Preferred, Better} }

// Sentence says why to is used instead of from.
func (r Reason) Sentence(from, to string) string {
	switch r {
	case LostDevice:
		return fmt.Sprintf("%s is used because %s failed", to, from)
	case Doubt:
		return fmt.Sprintf("%s is used because something is wrong with %s", to, from)
	case Preferred:
		return fmt.Sprintf("%s is used again: it is preferred, and has worked long enough", to)
	case Better:
		return fmt.Sprintf("%s is used because it is the first that works", to)
	}
	return fmt.Sprintf("%s is used", to)
}
