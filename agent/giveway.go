package agent

import (
	"context"
	"os"
	"sync/atomic"
	"time"

	"scanside/agent/status"
)

const (
	wayLook = 2 * time.Second  // between two looks for the file that asks the run to end
	wayFree = 10 * time.Second // the room must have been free for so long: nobody is only just changing windows
)

// giveWay ends the run when a newer version is installed and the room can spare the box for the second that it takes to start.
// A package's script asks for it by a file; who was asked once stays asked until the file is gone.
type giveWay struct {
	file  string      // "": nobody asks
	asked atomic.Bool // the file is there
	end   func()      // set by Run, for the loop

	freeSince time.Time // the loop's; zero: the room is not free
}

// Run looks for the file until ctx ends.
func (w *giveWay) Run(ctx context.Context) {
	for ; w.file != "" && ctx.Err() == nil; pause(ctx, wayLook) {
		_, err := os.Stat(w.file)
		w.asked.Store(err == nil)
	}
}

// giveWay ends the run once it is asked to and the room has been free for a while.
func (l *loop) giveWay(now time.Time) {
	w := &l.agent.way
	switch {
	case !w.asked.Load() || !free(l.procedure.open, len(l.living()) > 0, l.foreign(), l.present, now):
		w.freeSince = time.Time{}
	case w.freeSince.IsZero():
		w.freeSince = now
	case now.Sub(w.freeSince) >= wayFree:
		w.freeSince = now // asked once, while the end takes its time
		l.tale.say(now, status.Notice, "scanside ends, so that the newer version takes over.")
		l.log.Info("a newer version is installed and the room is free: ending, so that it takes over")
		l.news = true
		w.end()
	}
}

// free says whether the room can spare the box: no procedure is open, and nobody looks in or could. Where a far end is reached
// that does not say who looks in, somebody might; one of another make never says, and there the procedure alone counts.
func free(procedure, reached, foreign bool, word *presence, now time.Time) bool {
	switch {
	case procedure:
		return false
	case !reached || foreign:
		return true
	}
	return word.fresh(now) && len(word.watching()) == 0
}

// wayProblem says on the page that a newer version waits.
func (l *loop) wayProblem(add func(id string, level status.Level, text, hint string)) {
	if l.agent.way.asked.Load() {
		add("update-waiting", status.Notice, "A newer version is installed. It takes over when no procedure is open and nobody looks in; that takes a few seconds.",
			"Sooner, with nobody on the table: systemctl restart scanside.")
	}
}
