package budget

import (
	"fmt"
	"time"
)

// Level is how far an allowance is used.
type Level uint8

const (
	Enough Level = iota // nothing is left out
	Low                 // 80 %
	Short               // 90 %
	Spent               // all of it
)

// Shares of the allowance at which the levels begin, percent.
const (
	LowShare   = 80
	ShortShare = 90
)

var levelWords = [...]string{"enough", "low", "short", "spent"} // a constant table

// String is the level's code word.
func (l Level) String() string {
	if int(l) < len(levelWords) {
		return levelWords[l]
	}
	return fmt.Sprintf("unknown(%d)", l)
}

// Level is how far the allowance is used now.
func (a *Account) Level(w Allowance) Level {
	switch used := a.Used(); {
	case w.Bytes == 0:
		return Enough
	case used >= w.Bytes:
		return Spent
	case used >= w.Bytes/100*ShortShare:
		return Short
	case used >= w.Bytes/100*LowShare:
		return Low
	}
	return Enough
}

// Outlook is what a forecast says.
type Outlook uint8

const (
	NotKnown  Outlook = iota // too little was counted, or the clock is not set
	Lasts                    // till the end of the billing month
	RunsOut                  // before that
	IsSpent                  // already
	Unlimited                // nothing can run out
)

var outlookWords = [...]string{"unknown", "lasts", "runs-out", "spent", "unlimited"} // a constant table

// String is the outlook's code word.
func (o Outlook) String() string {
	if int(o) < len(outlookWords) {
		return outlookWords[o]
	}
	return fmt.Sprintf("unknown(%d)", o)
}

// Forecast is how long an allowance lasts at the present rate.
type Forecast struct {
	Outlook Outlook
	Until   time.Time // when it is used up, of RunsOut
}

// Forecast looks ahead from now.
func (a *Account) Forecast(now time.Time, w Allowance) Forecast {
	rate, known := a.PerSecond()
	switch {
	case w.Bytes == 0:
		return Forecast{Outlook: Unlimited}
	case a.Level(w) == Spent:
		return Forecast{Outlook: IsSpent}
	case !known || !isSet(now):
		return Forecast{Outlook: NotKnown}
	}
	_, end := w.Month(now)
	left := float64(w.Bytes - a.Used())
	if rate*end.Sub(now).Seconds() <= left {
		return Forecast{Outlook: Lasts}
	}
	return Forecast{RunsOut, now.Add(time.Duration(left / rate * float64(time.Second)))}
}

// Sentence is a forecast in words, in the allowance's time zone.
func (f Forecast) Sentence(now time.Time, w Allowance) string {
	zone := w.Zone
	if zone == nil {
		zone = time.UTC
	}
	switch f.Outlook {
	case Unlimited:
		return "No budget is set."
	case IsSpent:
		_, end := w.Month(now)
		return "The budget is spent; the next one begins on the " + ordinal(end.Day()) + "."
	case Lasts:
		return "At this rate the budget is enough for this month."
	case RunsOut:
		until, today := f.Until.In(zone), now.In(zone)
		if until.YearDay() == today.YearDay() && until.Year() == today.Year() {
			return "At this rate the budget lasts until " + until.Format("15:04") + " today."
		}
		return "At this rate the budget lasts until the " + ordinal(until.Day()) + "."
	}
	return "It is not known yet how long the budget lasts."
}

// ordinal is a day of the month as people say it: 1st, 22nd, 13th.
func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, suffix)
}
