package agent

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"scanside/media"
)

// Of linux/input-event-codes.h.
const (
	evSynch     = 0 // EV_SYN
	evKey       = 1 // EV_KEY
	synReport   = 0 // SYN_REPORT: what belongs together ends
	synDropped  = 3 // SYN_DROPPED: the kernel's queue overflowed, and what comes up to the next report is not whole
	keyPressed  = 1 // 0 is let go, 2 is held and repeats
	mostKeyCode = 0x2ff
)

// A struct input_event: a time of two longs, then type, code and value. It is read whole or not at all.
const (
	eventTime = 2 * unsafe.Sizeof(uintptr(0))
	eventSize = eventTime + 8
)

const keyRetry = time.Second // until a key that is not there is looked for again

// muteKey reads a key of the room's, by which people mute and open devices. The device is not grabbed: whoever else reads it still
// does. A line of a GPIO is such a device too, by the kernel's gpio-keys.
type muteKey struct {
	cfg     MuteKey
	press   func([media.NumKinds]bool)
	trouble atomic.Pointer[string] // nil: it is read
}

// Run reads the key until ctx ends. A key that is unplugged is taken up again by itself; it changes nothing by going or coming.
func (k *muteKey) Run(ctx context.Context) {
	if k.cfg.Device == "" {
		return
	}
	for ; ctx.Err() == nil; pause(ctx, keyRetry) {
		err := k.read(ctx)
		if ctx.Err() != nil {
			return
		}
		text := err.Error()
		k.trouble.Store(&text)
	}
}

func (k *muteKey) read(ctx context.Context) error {
	// Without O_NONBLOCK the read could not be ended, and opening a pipe would wait for its other side.
	f, err := os.OpenFile(k.cfg.Device, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("the mute key cannot be opened: %w", err)
	}
	defer f.Close()
	defer context.AfterFunc(ctx, func() { f.SetReadDeadline(time.Now()) })()
	k.trouble.Store(nil)
	var in keyEvents
	for {
		var raw [eventSize]byte
		if _, err := io.ReadFull(f, raw[:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("it ended")
			}
			return fmt.Errorf("the mute key cannot be read: %w", err)
		}
		if code, ok := in.take(raw); ok {
			k.press([media.NumKinds]bool{media.Voice: code == k.cfg.Microphone, media.Video: code == k.cfg.Camera})
		}
	}
}

// keyEvents finds the presses in a stream of events.
type keyEvents struct{ broken bool }

// take takes one event, and says which key it says was pressed. The bytes are this machine's own order.
func (e *keyEvents) take(raw [eventSize]byte) (code int, pressed bool) {
	kind, code := binary.NativeEndian.Uint16(raw[eventTime:]), int(binary.NativeEndian.Uint16(raw[eventTime+2:]))
	value := int32(binary.NativeEndian.Uint32(raw[eventTime+4:]))
	switch {
	case kind == evSynch && code == synDropped:
		e.broken = true
	case kind == evSynch && code == synReport:
		e.broken = false
	case kind == evKey && value == keyPressed && !e.broken && code != 0:
		return code, true
	}
	return 0, false
}
