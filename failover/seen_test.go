package failover

import (
	"strings"
	"testing"
	"time"
)

// What was seen is said with the numbers of that moment, for every reason that has any.
func TestSeen(t *testing.T) {
	const at = Instant(20 * time.Second)
	v := LinkView{
		RTT: 320 * time.Millisecond, Loss: .124, ForwardLoss: .31, LastGood: at.Add(-122 * time.Millisecond), Proof: 10250 * time.Millisecond,
		Echoes:   Echoes{Misses: 3, Answers: 1, Last: at.Add(-5 * time.Second)},
		Arrivals: Arrivals{LostRun: 47, Last: at.Add(-240 * time.Millisecond), Any: true},
		Refused:  Refused{Run: 11, Since: at.Add(-205 * time.Millisecond)},
	}
	for why, want := range map[Reason]string{
		ProbesMissed:  "3 probes in a row brought no answer, and the last answer was 122 ms old",
		OneWayBack:    "3 probes in a row brought no answer, while what was sent last arrived 240 ms before",
		OneWayOut:     "none of the last 47 packets arrived by the far end's word, for 240 ms",
		SendRefused:   "11 sends in a row refused within 205 ms",
		NoSamples:     "the last outcome of a probe was 5000 ms old",
		LossHigh:      "12 % of the latest probes were lost",
		MediaLossHigh: "31 % of the packets sent lately did not arrive",
		RTTHigh:       "an answer takes 320 ms",
		Answering:     "1 answer in a row",
		Proven:        "it has carried media for 10.2s without a fault",
		OperatorPin:   "",
		CarrierLost:   "",
	} {
		if got := v.Seen(why, at); got != want {
			t.Errorf("%v: %q, want %q", why, got, want)
		}
	}
	for _, why := range Reasons() {
		if got := (LinkView{}).Seen(why, 0); strings.Contains(got, "%!") {
			t.Errorf("%v of a link that nothing is known about: %q", why, got)
		}
	}
}
