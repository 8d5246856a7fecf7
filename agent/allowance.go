package agent

import (
	"time"

	"scanside/budget"
	"scanside/config"
)

const (
	minGigabytes = 0.5     // an idle month of standby alone
	maxGigabytes = 100_000 // above, bytes cost nothing
)

// Budget is how much a metered uplink may move in a billing month, both directions together. The zero value: as much as it
// needs.
type Budget struct {
	Gigabytes  float64 `yaml:"gigabytes"`   // of 1,000,000,000 bytes, as carriers sell them
	BillingDay int     `yaml:"billing_day"` // of the month on which the contract's month begins, at midnight by the box's clock; 0: the 1st
}

// allowance is the budget as package budget counts it.
func (b Budget) allowance() budget.Allowance {
	return budget.Allowance{Bytes: uint64(b.Gigabytes * 1e9), Day: max(b.BillingDay, 1), Zone: time.Local}
}

func (u Uplink) checkBudget(path string, m *config.Mistakes) {
	b := u.Budget
	if b == (Budget{}) {
		return
	}
	if !u.Metered {
		m.Add(path+".budget", "is for a metered uplink; write metered: true, or leave the budget out")
	}
	if !(b.Gigabytes >= minGigabytes && b.Gigabytes <= maxGigabytes) {
		m.Add(path+".budget.gigabytes", "%v is not a month's budget; use %v to %v", b.Gigabytes, minGigabytes, maxGigabytes)
	}
	if b.BillingDay < 0 || b.BillingDay > 31 {
		m.Add(path+".budget.billing_day", "%d is not a day of the month; use 1 to 31 (in a shorter month it is the last)", b.BillingDay)
	}
}
