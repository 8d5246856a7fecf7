package agent

import (
	"time"

	"scanside/agent/status"
	"scanside/failover"
	"scanside/supervision"
)

// judge asks the pure package whether supervision is available, and completes the document with the answer.
func (l *loop) judge(now time.Time, st *status.Status, e failover.Snapshot) supervision.Verdict {
	v := supervision.Judge(now, supervision.Inputs{})
	st.Problem = l.problems(now, st, e)
	return v
}
