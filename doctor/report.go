package doctor

import (
	"fmt"
	"strings"
	"time"

	"scanside/diagnosis"
)

// Result of a check. The zero value is Unknown.
type Result uint8

// The results.
const (
	Unknown Result = iota
	Passed
	Failed
)

var resultWords = [...]string{"unknown", "passed", "failed"}

// String is the result's code word in the API.
func (r Result) String() string {
	if int(r) < len(resultWords) {
		return resultWords[r]
	}
	return "unknown"
}

// Check is one thing that was looked at.
type Check struct {
	Name     string // unique and stable, e.g. "uplink:primary": what scripts go by
	Area     string // of the package's table
	Result   Result
	Sentence string
	Do       string                                 // what to do next; "": nothing
	Layers   [diagnosis.NumLayers]diagnosis.Finding // of an uplink
	Layered  bool                                   // there are layers
}

// Report is what one examination of the box came to.
type Report struct {
	At       time.Time
	Quick    bool // nothing was waited for
	Result   Result
	Sentence string
	Checks   []Check
}

// Exit codes of `scanside doctor`, as monitoring plugins read them: what did not pass is not well.
const (
	ExitPassed  = 0
	ExitFailed  = 3
	ExitUnknown = 4 // nothing failed, and not everything could be seen
)

// Exit is the report's exit code.
func (r Report) Exit() int {
	switch r.Result {
	case Passed:
		return ExitPassed
	case Failed:
		return ExitFailed
	}
	return ExitUnknown
}

// conclude sums the checks up (K2).
func conclude(now time.Time, quick bool, checks []Check) Report {
	r := Report{At: now, Quick: quick, Checks: checks}
	var failed, unknown []string
	for _, c := range checks {
		switch c.Result {
		case Failed:
			failed = append(failed, c.Name)
		case Unknown:
			unknown = append(unknown, c.Name)
		}
	}
	switch {
	case len(failed) > 0:
		r.Result, r.Sentence = Failed, fmt.Sprintf("%s not well: %s.", isAre(len(failed), "thing"), strings.Join(failed, ", "))
	case len(unknown) > 0 || len(checks) == 0:
		r.Sentence = fmt.Sprintf("Nothing that was seen is wrong; %s not known: %s.", isAre(len(unknown), "thing"), strings.Join(unknown, ", "))
	default:
		r.Result, r.Sentence = Passed, fmt.Sprintf("All %d checks passed.", len(checks))
	}
	return r
}

func isAre(n int, what string) string {
	if n == 1 {
		return "1 " + what + " is"
	}
	return fmt.Sprintf("%d %ss are", n, what)
}
