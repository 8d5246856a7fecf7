package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"scanside/budget"
	"scanside/failover"
)

const (
	booksFile    = "budget.json"
	booksVersion = 1
	booksMost    = 64 // uplinks in the file, those that the configuration no longer names included
	booksSize    = 1 << 20
	accountEvery = time.Second
	booksEvery   = time.Minute // a power cut loses no more than this of the count
)

// books is what each uplink used. The loop keeps the accounts; Run writes them down, at most once a minute and at the end.
type books struct {
	store    store
	log      *slog.Logger
	names    []string
	allowed  []budget.Allowance
	accounts []budget.Account
	others   map[string]budget.Account // of uplinks that the configuration does not name now
	counted  []uint64                  // by each meter, at the last look
	looked   time.Time

	lost    string // what was wrong with the file at the start, so that counting began anew; "": nothing
	text    atomic.Pointer[[]byte]
	trouble atomic.Pointer[string] // why it cannot be written; nil: it can
}

// onDisk is the form of the file.
type onDisk struct {
	Version int                       `json:"version"`
	Uplinks map[string]budget.Account `json:"uplinks"`
}

func newBooks(uplinks []Uplink, s store, log *slog.Logger) *books {
	b := &books{store: s, log: log, accounts: make([]budget.Account, len(uplinks)), counted: make([]uint64, len(uplinks))}
	for _, u := range uplinks {
		b.names = append(b.names, u.Name)
		b.allowed = append(b.allowed, u.Budget.allowance())
	}
	if err := b.open(); err != nil {
		b.lost = err.Error()
		b.log.Error("what the uplinks used is counted from zero", "err", err)
	}
	return b
}

// open reads the books. A file that cannot be believed is put aside, not overwritten.
func (b *books) open() error {
	if b.store.dir == "" {
		return nil
	}
	path := filepath.Join(b.store.dir, booksFile)
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("the file %s cannot be read: %w", booksFile, err)
	}
	if err := b.read(text); err != nil {
		b.others = nil
		clear(b.accounts)
		if moved := os.Rename(path, path+".damaged"); moved != nil {
			return fmt.Errorf("the file %s is damaged (%v) and cannot be put aside: %w", booksFile, err, moved)
		}
		return fmt.Errorf("the file %s was damaged (%v) and is now %s.damaged", booksFile, err, booksFile)
	}
	return nil
}

func (b *books) read(text []byte) error {
	if len(text) > booksSize {
		return fmt.Errorf("it holds %d bytes", len(text))
	}
	var file onDisk
	if err := json.Unmarshal(text, &file); err != nil {
		return err
	}
	if file.Version != booksVersion || len(file.Uplinks) > booksMost {
		return fmt.Errorf("version %d, %d uplinks", file.Version, len(file.Uplinks))
	}
	b.others = file.Uplinks
	for name, a := range file.Uplinks {
		if err := a.Check(); err != nil {
			return fmt.Errorf("uplink %s: %w", name, err)
		}
	}
	for i, name := range b.names {
		b.accounts[i] = b.others[name]
		delete(b.others, name)
	}
	return nil
}

// count takes in what the meters moved since the last look, and reports whether it was time for one.
func (b *books) count(now time.Time, moved func(i int) uint64) bool {
	if now.Sub(b.looked) < accountEvery {
		return false
	}
	b.looked = now
	for i := range b.accounts {
		total := moved(i)
		b.accounts[i].Add(now, b.allowed[i], total-b.counted[i])
		b.counted[i] = total
	}
	b.draw()
	return true
}

// draw makes the text that is to be written.
func (b *books) draw() {
	file := onDisk{booksVersion, map[string]budget.Account{}}
	for name, a := range b.others {
		file.Uplinks[name] = a
	}
	for i, name := range b.names {
		file.Uplinks[name] = b.accounts[i]
	}
	if text, err := json.Marshal(file); err == nil { // plain fields; a rate is never NaN
		b.text.Store(&text)
	}
}

// Run writes the books until ctx ends; save then writes the last word.
func (b *books) Run(ctx context.Context) error {
	tick := time.NewTicker(booksEvery)
	defer tick.Stop()
	var written []byte
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if text := b.text.Load(); text != nil && !bytes.Equal(*text, written) {
				b.save()
				written = *text
			}
		}
	}
}

// save writes what is to be written now. Nobody else may be saving.
func (b *books) save() {
	text := b.text.Load()
	if b.store.dir == "" || text == nil {
		return
	}
	err := b.store.write(booksFile, string(*text)+"\n")
	if err == nil {
		b.trouble.Store(nil)
		return
	}
	if b.trouble.Load() == nil {
		b.log.Error("what the uplinks used is not kept over a restart", "err", err)
	}
	why := err.Error()
	b.trouble.Store(&why)
}

// allowance is the engine's word for a level.
func allowance(l budget.Level) failover.Allowance {
	switch l {
	case budget.Low:
		return failover.Low
	case budget.Short:
		return failover.Short
	case budget.Spent:
		return failover.Spent
	}
	return failover.Enough
}

// account counts bytes and tells the engine when an uplink's allowance comes to another level.
func (l *loop) account(now time.Time) {
	b := l.books
	if !b.count(now, func(i int) uint64 { return l.agent.uplinks[i].meter.Sent() + l.agent.uplinks[i].meter.Received() }) {
		return
	}
	l.allow(now)
}

// allow tells the engine what is left of each uplink's budget, where it does not know yet.
func (l *loop) allow(now time.Time) {
	known := l.engine.Snapshot().Links
	for i := range l.books.accounts {
		level := l.books.accounts[i].Level(l.books.allowed[i])
		if allowance(level) == known[i].Allowance {
			continue
		}
		l.step(now, failover.Budget(failover.Link(i), allowance(level)))
		l.tale.say(now, levelSeverity(level), l.levelSentence(i, level))
		l.log.Info("budget", "link", l.name(failover.Link(i)), "level", level)
		l.news = true
	}
}
