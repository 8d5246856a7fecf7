package failover

import "strings"

// Reason is why something was ruled or rerouted: a closed list. The zero value never leaves the engine.
type Reason uint8

const (
	noReason Reason = iota
	NotConnected
	Connected
	Disconnected
	CarrierLost
	ProbesMissed
	OneWayOut
	OneWayBack
	SendRefused
	NoSamples
	LossHigh
	MediaLossHigh
	RTTHigh
	Answering
	Proven
	Preferred
	DoubtOver
	OperatorPin
	BudgetLow
	BudgetShort
	BudgetSpent
	BudgetBack
	ProcedureOpened
	ProcedureClosed
	AllDown
	TooThin
	Queueing
	RateFits
	RateRises
	numReasons
)

// reasonWords is the table of code words, for logs, metrics and traces.
var reasonWords = [numReasons]string{
	"none", "not_connected", "connected", "disconnected", "carrier_lost", "probes_missed", "one_way_out", "one_way_back",
	"send_refused", "no_samples", "loss_high", "media_loss_high", "rtt_high", "answering", "proven", "preferred",
	"doubt_over", "operator_pin", "budget_low", "budget_short", "budget_spent", "budget_back", "procedure_opened", "procedure_closed", "all_down",
	"too_thin", "queueing", "rate_fits", "rate_rises",
}

// reasonSentences is the table of what a technician reads; @ stands for the link's name.
var reasonSentences = [numReasons]string{
	noReason:        "nothing has changed",
	NotConnected:    "@ has not connected yet",
	Connected:       "@ has connected; it must carry media well for a while before it is relied on",
	Disconnected:    "the connection over @ has ended",
	CarrierLost:     "@ has no carrier: check its cable, modem or antenna",
	ProbesMissed:    "@ no longer answers",
	OneWayOut:       "what is sent over @ does not arrive, although @ answers",
	OneWayBack:      "what is sent over @ arrives, but nothing comes back",
	SendRefused:     "this machine can no longer send over @: check its address and route",
	NoSamples:       "@ has not been measured for some seconds",
	LossHigh:        "@ loses too many packets",
	MediaLossHigh:   "too much of what is sent over @ does not arrive",
	RTTHigh:         "answers over @ take too long",
	Answering:       "@ answers again",
	Proven:          "@ has carried media well for long enough to be relied on",
	Preferred:       "@ is preferred and has proven itself again",
	DoubtOver:       "all is well with @, so the extra copy has ended",
	OperatorPin:     "an operator chose @",
	BudgetLow:       "the data budget of @ runs low",
	BudgetShort:     "the data budget of @ is nearly spent",
	BudgetSpent:     "the data budget of @ is spent",
	BudgetBack:      "@ has data budget again",
	ProcedureOpened: "a procedure is open",
	ProcedureClosed: "the procedure is closed",
	AllDown:         "no link is usable, so everything is sent over all of them",
	TooThin:         "@ carries too little for the picture beside voice",
	Queueing:        "what we send over @ waits in a queue, so the picture takes less",
	RateFits:        "the picture is made to fit what @ carries",
	RateRises:       "@ has room for more of the picture",
}

// String is the code word, e.g. "probes_missed".
func (r Reason) String() string { return wordOf(reasonWords[:], uint8(r)) }

// Sentence is the reason in plain English, about the link of that name.
func (r Reason) Sentence(link string) string {
	if r >= numReasons {
		return r.String()
	}
	return strings.ReplaceAll(reasonSentences[r], "@", link)
}

// Reasons lists every reason there is, for metrics that start at zero.
func Reasons() []Reason {
	all := make([]Reason, 0, numReasons-1)
	for r := noReason + 1; r < numReasons; r++ {
		all = append(all, r)
	}
	return all
}

// commanded reports whether people or the budget asked for it, rather than the engine (F4).
func (r Reason) commanded() bool { return r >= OperatorPin && r <= ProcedureClosed }

// ofBudget reports whether a budget asked for it.
func (r Reason) ofBudget() bool { return r >= BudgetLow && r <= BudgetBack }

// MarshalText writes the code word.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the code word back.
func (r *Reason) UnmarshalText(b []byte) error {
	return readWord((*uint8)(r), reasonWords[:], "reason", b)
}
