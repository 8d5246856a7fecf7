package link

import (
	"context"
	"errors"

	"scanside/media"
)

// Session is one live association over one uplink. All methods may be called from any goroutine.
type Session struct{}

// Dial opens a WHIP and a WHEP session in parallel and returns when both are connected (the play half may also be
// waiting: "nobody there yet"). On error everything is undone, the resources at the far end too. A refusal by the far
// end is a *Problem in the error's chain.
func Dial(ctx context.Context, cfg Config, ev Events) (*Session, error) {
	return nil, errors.New("link: not built yet")
}

// Leg takes one kind's packets for this link. Its WriteRTP returns an error when the kernel refused or the session is over.
func (s *Session) Leg(k media.Kind) media.Sink { return nil }

// AskRepair asks the far end to send these packets of the return media again over this link (RTCP NACK).
func (s *Session) AskRepair(k media.Kind, seqs []uint16) {}

// AskKeyFrame asks the far end for a key frame of the return picture (RTCP PLI).
func (s *Session) AskKeyFrame() {}

// Hurry lets ProbeEvery be asked again now, when the answer has become shorter (media starts).
func (s *Session) Hurry() {}

// Playing reports whether the play half is connected now.
func (s *Session) Playing() bool { return false }

// Resources returns the session URLs that are open at the far end, for the agent to persist: a killed agent's next run
// hands them to Delete. After Close it returns those that could not be deleted.
func (s *Session) Resources() []string { return nil }

// Done is closed when the session is dead or closed.
func (s *Session) Done() <-chan struct{} { return nil }

// Err says why the session is dead; nil while it lives and after a plain Close.
func (s *Session) Err() error { return nil }

// Close ends the session: DELETE for both resources (2 s at most), then waits for everything it started. Idempotent.
func (s *Session) Close() error { return nil }

// Delete ends sessions that an earlier run left behind, over cfg's Net and with its Token. It needs only Net, Token,
// TokenHosts and TLS of cfg. Gone already (404) is success. Bounded by ctx and 2 s per URL, all in parallel.
func Delete(ctx context.Context, cfg Config, urls []string) error {
	return errors.New("link: not built yet")
}
