package budget

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	return zone
}

func at(t *testing.T, text string, zone *time.Location) time.Time {
	t.Helper()
	when, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func TestMonths(t *testing.T) {
	zone := berlin(t)
	for _, c := range []struct {
		day             int
		now, begin, end string
	}{
		{1, "2026-11-24 16:00", "2026-11-01", "2026-12-01"},
		{1, "2026-12-01 00:00", "2026-12-01", "2027-01-01"},
		{15, "2026-01-14 23:59", "2025-12-15", "2026-01-15"},
		{15, "2026-01-15 00:00", "2026-01-15", "2026-02-15"},
		{31, "2027-02-27 12:00", "2027-01-31", "2027-02-28"}, // February has no 31st: the month begins on its last day
		{31, "2027-02-28 12:00", "2027-02-28", "2027-03-31"},
		{31, "2028-02-29 12:00", "2028-02-29", "2028-03-31"},
		{29, "2026-03-29 12:00", "2026-03-29", "2026-04-29"}, // the day on which summer time begins
		{0, "2026-05-02 12:00", "2026-05-01", "2026-06-01"},
	} {
		begin, end := Allowance{Day: c.day, Zone: zone}.Month(at(t, c.now, zone))
		if begin.Format(dateForm) != c.begin || end.Format(dateForm) != c.end || begin.Hour() != 0 || end.Hour() != 0 {
			t.Errorf("day %d, %s: %v to %v, want %s to %s", c.day, c.now, begin, end, c.begin, c.end)
		}
	}
	// 23:30 in London is half past midnight in Berlin: the site's zone decides.
	begin, _ := Allowance{Day: 1, Zone: zone}.Month(at(t, "2026-11-30 23:30", time.UTC))
	if begin.Format(dateForm) != "2026-12-01" {
		t.Errorf("midnight at the site: %v", begin)
	}
}

// Each story adds bytes at wall-clock times; the answer is the books that are left.
func TestBooks(t *testing.T) {
	type add struct {
		when  string
		day   int
		bytes uint64
	}
	for _, c := range []struct {
		name    string
		adds    []add
		books   []Book
		pending uint64
	}{
		{"a month ends", []add{{"2026-11-30 23:59", 1, 5}, {"2026-12-01 00:00", 1, 7}}, []Book{{"2026-11-01", 5}, {"2026-12-01", 7}}, 0},
		{"the clock steps over a month's end and back", []add{{"2026-11-30 23:59", 1, 5}, {"2026-12-01 00:01", 1, 7}, {"2026-11-30 23:58", 1, 1}, {"2026-12-01 00:01", 1, 2}},
			[]Book{{"2026-11-01", 13}, {"2026-12-01", 2}}, 0},
		{"the clock was ten years ahead", []add{{"2026-11-10 12:00", 1, 5}, {"2036-01-01 00:00", 1, 7}, {"2036-02-01 00:00", 1, 7}, {"2026-11-10 12:05", 1, 1}},
			[]Book{{"2026-11-01", 20}}, 0},
		{"no clock after boot, then it is set", []add{{"2026-11-10 12:00", 1, 5}, {"1970-01-01 00:00", 1, 7}, {"1970-01-01 00:05", 1, 3}, {"2026-12-02 12:00", 1, 1}},
			[]Book{{"2026-11-01", 5}, {"2026-12-01", 11}}, 0},
		{"no clock at all", []add{{"1970-01-01 00:00", 1, 7}, {"1970-01-01 00:05", 1, 3}}, nil, 10},
		{"the billing day is changed", []add{{"2026-11-20 12:00", 1, 5}, {"2026-11-20 12:01", 15, 1}}, []Book{{"2026-11-15", 6}}, 0},
		{"the billing day is changed to one ahead", []add{{"2026-11-20 12:00", 15, 5}, {"2026-11-20 12:01", 25, 1}}, []Book{{"2026-10-25", 6}}, 0},
		{"the billing day is changed after a year in a cupboard", []add{{"2026-11-20 12:00", 1, 5}, {"2027-11-20 12:01", 15, 1}}, []Book{{"2026-11-01", 5}, {"2027-11-15", 1}}, 0},
	} {
		var a Account
		for _, d := range c.adds {
			a.Add(at(t, d.when, time.UTC), Allowance{Day: d.day}, d.bytes)
		}
		if !reflect.DeepEqual(a.Books, c.books) || a.Pending != c.pending {
			t.Errorf("%s: %+v, pending %d; want %+v, pending %d", c.name, a.Books, a.Pending, c.books, c.pending)
		}
		if err := a.Check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Whatever the clock does, a byte is counted once; and what was written is read back.
func TestNothingIsLost(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var a Account
		var sum uint64
		now := at(t, "2026-11-10 12:00", time.UTC)
		w := Allowance{Day: 1 + random.IntN(31)}
		for range 12 { // fewer months than are kept
			switch random.IntN(6) {
			case 0:
				now = time.Unix(random.Int64N(1e6), 0) // not set
			case 1:
				now = at(t, "2026-11-10 12:00", time.UTC).Add(-time.Duration(random.IntN(100)) * 24 * time.Hour)
			case 2:
				w.Day = 1 + random.IntN(31)
			default:
				now = now.Add(time.Duration(random.IntN(40)) * 24 * time.Hour)
			}
			n := random.Uint64N(1e9)
			sum += n
			a.Add(now, w, n)
			text, err := json.Marshal(&a)
			if err != nil {
				t.Fatal(err)
			}
			last := a.last
			a = Account{last: last}
			if err := json.Unmarshal(text, &a); err != nil {
				t.Fatal(err)
			}
			if err := a.Check(); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		got := a.Pending
		for _, b := range a.Books {
			got += b.Bytes
		}
		if got != sum {
			t.Fatalf("counted %d of %d: %+v", got, sum, a)
		}
	}
}

func TestForeignAccounts(t *testing.T) {
	for _, text := range []string{
		`{"billing_day": 32}`, `{"books": [{"begin": "yesterday"}]}`, `{"rate": -1}`, `{"weight": 2}`,
		`{"books": [{"begin": "2026-11-01"}, {"begin": "2026-10-01"}]}`,
	} {
		var a Account
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			t.Fatal(err)
		}
		if a.Check() == nil {
			t.Errorf("%s is taken for an account", text)
		}
	}
}

func TestLevels(t *testing.T) {
	const gigabyte = 1e9
	w := Allowance{Bytes: 20 * gigabyte, Day: 1}
	for _, c := range []struct {
		used uint64
		want Level
	}{{0, Enough}, {15.99 * gigabyte, Enough}, {16 * gigabyte, Low}, {17.99 * gigabyte, Low}, {18 * gigabyte, Short}, {19.99 * gigabyte, Short}, {20 * gigabyte, Spent}, {30 * gigabyte, Spent}} {
		a := Account{Pending: c.used}
		if got := a.Level(w); got != c.want {
			t.Errorf("%d used of %d: %v, want %v", c.used, w.Bytes, got, c.want)
		}
		if got := a.Level(Allowance{}); got != Enough {
			t.Errorf("no budget: %v", got)
		}
	}
	if s := Level(9).String() + Outlook(9).String(); s != "unknown(9)unknown(9)" {
		t.Error(s)
	}
}

func TestForecast(t *testing.T) {
	zone := berlin(t)
	const megabyte = 1e6
	for _, c := range []struct {
		name   string
		now    string
		used   uint64  // before
		hourly float64 // MB, for so many hours
		hours  int
		gb     uint64
		want   string
	}{
		{"just started", "2026-11-10 12:00", 0, 1000, 5, 20, "It is not known yet how long the budget lasts."},
		{"idle", "2026-11-10 12:00", 0, 0.4, 48, 20, "At this rate the budget is enough for this month."},
		{"the primary is dead", "2026-11-20 12:00", 2000 * megabyte, 1100, 10, 100, "At this rate the budget lasts until the 23rd."},
		{"today still", "2026-11-20 08:00", 19000 * megabyte, 100, 7, 20, "At this rate the budget lasts until 10:59 today."},
		{"over the turn of the year", "2026-12-20 12:00", 0, 100, 48, 40, "At this rate the budget lasts until the 4th."},
		{"spent", "2026-11-20 08:00", 20000 * megabyte, 1, 7, 20, "The budget is spent; the next one begins on the 1st."},
		{"no budget", "2026-11-20 08:00", 0, 1, 7, 0, "No budget is set."},
		{"no clock", "2000-01-01 00:00", 0, 100, 48, 40, "It is not known yet how long the budget lasts."},
	} {
		w := Allowance{Bytes: c.gb * 1e9, Day: 1, Zone: zone}
		if strings.Contains(c.name, "turn") {
			w.Day = 15
		}
		now := at(t, c.now, zone)
		a := Account{Pending: c.used}
		for m := c.hours * 60; m >= 0; m-- {
			a.Add(now.Add(-time.Duration(m)*time.Minute), w, uint64(c.hourly*megabyte/60))
		}
		f := a.Forecast(now, w)
		if got := f.Sentence(now, w); got != c.want {
			t.Errorf("%s: %s (%v until %v, used %d); want: %s", c.name, got, f.Outlook, f.Until, a.Used(), c.want)
		}
	}
}

// The rate of the last day outweighs a quiet month: a dead primary shows within hours.
func TestRateFollows(t *testing.T) {
	var a Account
	now := at(t, "2026-11-01 00:00", time.UTC)
	for range 20 * 24 * 60 {
		now = now.Add(time.Minute)
		a.Add(now, Allowance{Day: 1}, 10_000)
	}
	slow, _ := a.PerSecond()
	for range 24 * 60 {
		now = now.Add(time.Minute)
		a.Add(now, Allowance{Day: 1}, 10_000_000)
	}
	fast, known := a.PerSecond()
	if !known || slow < 160 || slow > 170 || fast < 0.6*10_000_000/60 {
		t.Errorf("%.0f bytes a second while quiet, %.0f after a day without the primary", slow, fast)
	}
}
