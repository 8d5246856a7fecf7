package budget

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Allowance is what a contract allows.
type Allowance struct {
	Bytes uint64         // a billing month; 0: as many as one likes
	Day   int            // of the month on which a billing month begins, 1 to 31
	Zone  *time.Location // nil: UTC
}

const (
	mostBooks = 13 // a year and the running month

	memory    = 24 * time.Hour // of the rate
	leastSeen = 6 * time.Hour  // of counting, before the rate says something

	dateForm = "2006-01-02"
)

// clockSet is 2026-01-01, seconds of Unix time: a clock before that is not set, for this program is younger.
const clockSet = 1767225600

// isSet reports whether a clock that says so can be believed.
func isSet(now time.Time) bool { return now.Unix() >= clockSet }

// Book is what was used in one billing month.
type Book struct {
	Begin string `json:"begin"` // the month's first day, e.g. 2026-11-01
	Bytes uint64 `json:"bytes"`
}

// Account is the books of one uplink, and their form on disk. The zero value is empty. It belongs to one goroutine.
type Account struct {
	Day     int    `json:"billing_day"` // by which the books were kept
	Books   []Book `json:"books"`       // oldest first
	Pending uint64 `json:"pending"`     // counted while the clock was not set

	Rate   float64 `json:"rate"`   // bytes a second, forgetting; to be divided by Weight
	Weight float64 `json:"weight"` // 0 to 1: how much of the memory is filled

	last time.Time // of the last Add; its monotonic part measures what passed
}

// Check says what no account can be: for files that come from who knows where.
func (a *Account) Check() error {
	if a.Day < 0 || a.Day > 31 || len(a.Books) > mostBooks {
		return fmt.Errorf("billing day %d, %d books", a.Day, len(a.Books))
	}
	for i, b := range a.Books {
		if _, err := time.Parse(dateForm, b.Begin); err != nil {
			return fmt.Errorf("a month that begins on %q", b.Begin)
		}
		if i > 0 && b.Begin <= a.Books[i-1].Begin {
			return fmt.Errorf("the month of %s stands behind that of %s", b.Begin, a.Books[i-1].Begin)
		}
	}
	if !(a.Rate >= 0 && a.Rate < 1e12) || !(a.Weight >= 0 && a.Weight <= 1) { // NaN fails too
		return fmt.Errorf("a rate of %v with weight %v", a.Rate, a.Weight)
	}
	return nil
}

// Add counts bytes that moved since the last Add. now should have a monotonic reading, so that a step of the clock does not
// disturb the rate.
func (a *Account) Add(now time.Time, w Allowance, bytes uint64) {
	a.pace(now, bytes)
	a.Pending += bytes
	if !isSet(now) {
		return
	}
	if a.Day != w.Day {
		a.move(now, w)
	}
	begin, _ := w.Month(now)
	a.settle(begin.Format(dateForm))
}

// move takes the running month's bytes along when the billing day was changed.
func (a *Account) move(now time.Time, w Allowance) {
	before, _ := Allowance{Day: a.Day, Zone: w.Zone}.Month(now)
	if n := len(a.Books); a.Day != 0 && n > 0 && a.Books[n-1].Begin == before.Format(dateForm) {
		a.Pending += a.Books[n-1].Bytes
		a.Books = a.Books[:n-1]
	}
	a.Day = w.Day
}

// settle puts what is pending into the month's book, and what was counted in months yet to come.
func (a *Account) settle(month string) {
	for n := len(a.Books); n > 0 && a.Books[n-1].Begin > month; n-- {
		a.Pending += a.Books[n-1].Bytes
		a.Books = a.Books[:n-1]
	}
	if n := len(a.Books); n == 0 || a.Books[n-1].Begin != month {
		a.Books = append(a.Books, Book{Begin: month})
		a.Books = slices.Delete(a.Books, 0, max(len(a.Books)-mostBooks, 0))
	}
	a.Books[len(a.Books)-1].Bytes += a.Pending
	a.Pending = 0
}

// pace takes bytes into the rate.
func (a *Account) pace(now time.Time, bytes uint64) {
	passed := now.Sub(a.last)
	first := a.last.IsZero()
	a.last = now
	if first || passed <= 0 {
		return
	}
	keep := math.Exp(-passed.Seconds() / memory.Seconds())
	a.Rate = a.Rate*keep + float64(bytes)/passed.Seconds()*(1-keep)
	a.Weight = a.Weight*keep + (1 - keep)
}

// Used is what was used in the running billing month, as far as is known; what is pending counts.
func (a *Account) Used() uint64 {
	if n := len(a.Books); n > 0 {
		return a.Books[n-1].Bytes + a.Pending
	}
	return a.Pending
}

// PerSecond is the present rate, bytes; false: it has not been counted for long enough.
func (a *Account) PerSecond() (float64, bool) {
	least := 1 - math.Exp(-leastSeen.Seconds()/memory.Seconds())
	if a.Weight < least*0.999 {
		return 0, false
	}
	return a.Rate / a.Weight, true
}

// Month is the billing month that an instant lies in: its first moment, and the first of the next.
func (w Allowance) Month(now time.Time) (begin, end time.Time) {
	zone := w.Zone
	if zone == nil {
		zone = time.UTC
	}
	now = now.In(zone)
	year, month, _ := now.Date()
	begin = w.begins(year, month, zone)
	if now.Before(begin) {
		return w.begins(year, month-1, zone), begin
	}
	return begin, w.begins(year, month+1, zone)
}

// begins is when the billing month begins that begins in that calendar month: where the day is missing, on the last.
func (w Allowance) begins(year int, month time.Month, zone *time.Location) time.Time {
	last := time.Date(year, month+1, 0, 0, 0, 0, 0, zone).Day()
	return time.Date(year, month, min(max(w.Day, 1), last), 0, 0, 0, 0, zone)
}
