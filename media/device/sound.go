package device

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"github.com/gen2brain/malgo"
)

// The capture device gives samples every 10 ms and holds 200 ms: that is how late its thread may be without a loss.
const (
	periodMillis = 10
	periods      = 20
)

// soundLibrary is miniaudio with its ALSA back-end alone; the others would bring sound servers and a null device in. The
// zero value is ready. There is one per Run: loading it leaks a kilobyte of C (malgo's log), opening devices does not. It
// belongs to one goroutine.
type soundLibrary struct{ ctx *malgo.AllocatedContext }

func (l *soundLibrary) load() error {
	if l.ctx != nil {
		return nil
	}
	ctx, err := malgo.InitContext([]malgo.Backend{malgo.BackendAlsa}, malgo.ContextConfig{}, nil)
	if err != nil {
		return fmt.Errorf("load ALSA's library: install the package libasound2: %w", err)
	}
	l.ctx = ctx
	return nil
}

// Close gives the memory back. All devices must be closed.
func (l *soundLibrary) Close() {
	if l.ctx != nil {
		_ = l.ctx.Uninit() // what it could not undo ends with the process
		l.ctx.Free()
		l.ctx = nil
	}
}

// capture is an open microphone. write gets 16 bit mono samples at 48 kHz, on the library's thread, and must copy them;
// ended is called when the device stops by itself. close returns when neither will be called again.
func (l *soundLibrary) capture(pcm string, write func([]byte), ended func()) (close func(), err error) {
	return l.start(malgo.Capture, pcm, periods, malgo.DeviceCallbacks{Data: func(_, in []byte, _ uint32) { write(in) }, Stop: ended})
}

// start opens an ALSA PCM, 16 bit mono at 48 kHz, and starts it.
func (l *soundLibrary) start(way malgo.DeviceType, pcm string, periods uint32, calls malgo.DeviceCallbacks) (close func(), err error) {
	if err := l.load(); err != nil {
		return nil, err
	}
	var id malgo.DeviceID
	if len(pcm) >= len(id) {
		return nil, fmt.Errorf("the ALSA name %.40q… is too long", pcm)
	}
	copy(id[:], pcm)
	var pin runtime.Pinner // C copies the id while the device is being opened
	pin.Pin(&id)
	defer pin.Unpin()

	cfg := malgo.DefaultDeviceConfig(way)
	cfg.SampleRate = voiceClock
	cfg.PeriodSizeInMilliseconds = periodMillis
	cfg.Periods = periods
	end := &cfg.Capture
	if way == malgo.Playback {
		end = &cfg.Playback
	}
	end.DeviceID, end.Format, end.Channels = unsafe.Pointer(&id), malgo.FormatS16, 1
	cfg.Alsa.NoMMap = 1 // sound servers' plugins do not map memory
	dev, err := malgo.InitDevice(l.ctx.Context, cfg, calls)
	if err != nil {
		return nil, err
	}
	if err := dev.Start(); err != nil {
		dev.Uninit()
		return nil, err
	}
	// Without the Stop, Uninit waits for ever for the library's thread when the device was pulled out: nothing wakes it from its wait,
	// in which it spins.
	return func() { _ = dev.Stop(); dev.Uninit() }, nil
}

// explainMicrophone says what an error of the library means and what to do.
func explainMicrophone(name string, err error) error {
	switch {
	case errors.Is(err, malgo.ErrBusy):
		return fmt.Errorf("microphone %s is in use by another program: close that program: %w", name, err)
	case errors.Is(err, malgo.ErrAccessDenied):
		return fmt.Errorf("microphone %s may not be opened: run as a member of the group \"audio\": %w", name, err)
	case errors.Is(err, malgo.ErrDoesNotExist), errors.Is(err, malgo.ErrNoDevice):
		return fmt.Errorf("microphone %s is gone: check its cable: %w", name, err)
	}
	return fmt.Errorf("open microphone %s: %s", name, strings.TrimPrefix(err.Error(), "malgo: "))
}
