package gateway

import "sync"

// enders closes what is over, away from locks and callbacks, and lets the gateway wait until all is closed.
type enders struct{ wg sync.WaitGroup }

func (e *enders) close(all []closer) {
	for _, c := range all {
		e.wg.Go(func() { c.Close() })
	}
}

func (e *enders) wait() { e.wg.Wait() }
