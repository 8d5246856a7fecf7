package link

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLog hands pion's log to ours: its warnings are our debug lines (they speak of single packets), its errors our
// warnings.
type pionLog struct{ log *slog.Logger }

func (l pionLog) NewLogger(scope string) logging.LeveledLogger {
	return pionScope{l.log.With("pion", scope)}
}

type pionScope struct{ log *slog.Logger }

func (s pionScope) Trace(string)          {}
func (s pionScope) Tracef(string, ...any) {}
func (s pionScope) Debug(string)          {}
func (s pionScope) Debugf(string, ...any) {}
func (s pionScope) Info(string)           {}
func (s pionScope) Infof(string, ...any)  {}
func (s pionScope) Warn(msg string)       { s.log.Debug(msg) }
func (s pionScope) Error(msg string)      { s.log.Warn(msg) }

func (s pionScope) Warnf(format string, args ...any) {
	if s.log.Enabled(context.Background(), slog.LevelDebug) {
		s.log.Debug(fmt.Sprintf(format, args...))
	}
}

func (s pionScope) Errorf(format string, args ...any) { s.log.Warn(fmt.Sprintf(format, args...)) }

// orSilent makes a nil logger a silent one.
func orSilent(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}
