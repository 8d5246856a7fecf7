package agent

import (
	"fmt"
	"strings"
	"time"

	"scanside/agent/status"
	"scanside/budget"
)

// The published order of shedding (TARGETS G11), as the page prints it. Package failover does it.
func shedding() []string {
	return []string{
		fmt.Sprintf("From %d %% of the budget: no copies of the picture; while a procedure is open they still come on doubt.", budget.LowShare),
		fmt.Sprintf("From %d %%: no copies of the picture at all, and none of voice unless a procedure is open.", budget.ShortShare),
		"When it is spent: besides, probed every 10 s only, while it carries nothing and no procedure is open.",
		"Never left out: voice while a procedure is open, and everything while no other uplink works.",
	}
}

// sheds is what a level leaves out now, in words.
func sheds(l budget.Level, procedure bool) string {
	switch {
	case l == budget.Low && procedure:
		return "Copies of the picture go over it on doubt only."
	case l == budget.Low:
		return "Copies of the picture no longer go over it."
	case l >= budget.Short && procedure:
		return "Copies of the picture no longer go over it; voice does while the procedure is open."
	case l >= budget.Short:
		return "Copies no longer go over it, until a procedure is opened."
	}
	return ""
}

func (l *loop) viewBudget(now time.Time, i int) status.Budget {
	a, w := &l.books.accounts[i], l.books.allowed[i]
	f := a.Forecast(now, w)
	v := status.Budget{
		Allowed: w.Bytes, Used: a.Used(), Level: a.Level(w).String(), Outlook: f.Outlook.String(), Until: f.Until,
		Sentence: f.Sentence(now, w), Sheds: sheds(a.Level(w), l.procedure.open), Order: []string{},
	}
	v.Begins, v.Ends = w.Month(now)
	if rate, known := a.PerSecond(); known {
		hourly := rate * time.Hour.Seconds()
		v.Rate = &hourly
	}
	if w.Bytes > 0 {
		v.Order = shedding()
	}
	return v
}

func levelSeverity(l budget.Level) status.Level {
	switch l {
	case budget.Enough:
		return status.OK
	case budget.Spent:
		return status.Warning
	}
	return status.Notice
}

// levelSentence tells of a level that an uplink's budget has come to.
func (l *loop) levelSentence(i int, level budget.Level) string {
	name, what := l.books.names[i], map[budget.Level]string{budget.Low: "runs low", budget.Short: "is nearly spent", budget.Spent: "is spent"}[level]
	if what == "" {
		return "The data budget of " + name + " is enough again."
	}
	return strings.TrimSpace("The data budget of " + name + " " + what + ". " + sheds(level, l.procedure.open))
}

func (l *loop) budgetProblems(now time.Time, add func(id string, level status.Level, text, hint string)) {
	for i, name := range l.books.names {
		level := l.books.accounts[i].Level(l.books.allowed[i])
		if level == budget.Enough {
			continue
		}
		_, end := l.books.allowed[i].Month(now)
		add("budget-"+level.String()+":"+name, levelSeverity(level), l.levelSentence(i, level),
			"The next month's begins on "+end.Format("2 January")+". If the contract allows more, raise the uplink's budget in the configuration.")
	}
	if why := l.books.lost; why != "" {
		add("budget-lost", status.Warning, "What the uplinks used before this run began is not known: "+why+".", "Compare with the carrier's own count, and lower the budget for this month if it is far off.")
	}
	if why := l.books.trouble.Load(); why != nil {
		add("budget-not-kept", status.Warning, "What the uplinks use would be forgotten at a restart: "+*why+".", "Check space and permissions of the state directory.")
	}
}
