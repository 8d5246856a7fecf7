package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"scanside/agent/status"
	"scanside/audit"
	"scanside/failover"
	"scanside/media"
)

// procedureFile is there while a procedure is open, and says since when. Whatever else it says, a procedure is open: to
// take one for open costs bytes, to take an open one for closed costs copies when they are needed.
const procedureFile = "procedure"

// procedureFlag says that contrast or its observation is open. People open and close it, nothing does so by itself.
type procedureFlag struct {
	open  bool
	since time.Time // of the present state; zero: as long as this run
}

// switching makes a turn of the flag one act: on disk first, so that what was acknowledged survives a kill, then in the loop.
type switching struct {
	kept store
	mu   sync.Mutex
}

// turn opens or closes the procedure. An error says what was not kept; the flag is turned all the same.
func (s *switching) turn(open bool, by string, now time.Time, post func(event)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.kept.keepProcedure(open, now)
	post(event{kind: procedure, on: open, by: by})
	return err
}

// procedure is what the run before this left.
func (s store) procedure() procedureFlag {
	if s.dir == "" {
		return procedureFlag{}
	}
	text, err := os.ReadFile(filepath.Join(s.dir, procedureFile))
	if errors.Is(err, fs.ErrNotExist) {
		return procedureFlag{}
	}
	since, _ := time.Parse(time.RFC3339, strings.TrimSpace(string(text)))
	return procedureFlag{open: true, since: since}
}

func (s store) keepProcedure(open bool, now time.Time) error {
	if s.dir == "" || s.procedure().open == open {
		return nil
	}
	if open {
		if err := s.write(procedureFile, now.Format(time.RFC3339)+"\n"); err != nil {
			return fmt.Errorf("the procedure is open, but would not be after a restart: %w", err)
		}
		return nil
	}
	if err := os.Remove(filepath.Join(s.dir, procedureFile)); err != nil {
		return fmt.Errorf("the procedure is closed, but would be open after a restart: %w", err)
	}
	return nil
}

// Procedure implements status.Box.
func (b boxed) Procedure(_ context.Context, by string, open bool) error {
	return b.a.procedure.turn(open, by, time.Now(), b.a.loop.post)
}

// resume goes on with the procedure that was open when the run before this ended.
func (l *loop) resume(now time.Time) {
	if l.procedure.open {
		l.tellOpen(true)
		l.step(now, failover.Procedure(true))
		l.tale.say(now, status.Notice, "The procedure that was open when scanside stopped is still open.")
	}
}

func (l *loop) turned(now time.Time, open bool, by string) {
	if l.procedure.open == open {
		return
	}
	l.procedure = procedureFlag{open, now}
	l.note(audit.Procedure{Open: open, By: by})
	l.tale.say(now, status.Notice, map[bool]string{true: "A procedure was opened.", false: "The procedure was closed."}[open])
	l.log.Info("procedure", "open", open)
	l.step(now, failover.Procedure(open))
	l.tellOpen(open)
	l.news = true
}

func (l *loop) viewProcedure() status.Procedure {
	p, phase := status.Procedure{Open: l.procedure.open, Since: l.procedure.since, Sentence: "No procedure is open."}, failover.Idle
	if p.Open {
		p.Sentence, phase = "A procedure is open.", failover.InProcedure
	}
	how := l.engine.Policy().Protection[phase]
	p.Copies = sentence(copied("voice", how[media.Voice]) + "; " + copied("the picture", how[media.Video]))
	return p
}

// copied says when copies of a stream are sent.
func copied(what string, how failover.Protection) string {
	switch how {
	case failover.Always:
		return what + " goes over every uplink that works"
	case failover.ByCost:
		return what + " goes over every uplink that costs nothing, and on doubt over the others too"
	case failover.Never:
		return what + " goes over one uplink at a time"
	}
	return what + " goes over one uplink, and over the others too from the first doubt"
}
