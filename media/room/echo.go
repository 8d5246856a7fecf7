package room

// #cgo pkg-config: webrtc-audio-processing
// #cgo CXXFLAGS: -std=c++11 -Wno-deprecated-declarations
// #include "apm.h"
import "C"

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"
)

// Treatment is what is done about the echo of the physician's voice in the room's microphone.
type Treatment string

// The treatments.
const (
	Cancel   Treatment = "cancel" // WebRTC's echo cancellation and noise suppression
	Duck     Treatment = "duck"   // the microphone is turned down while the physician speaks
	OfDevice Treatment = "device" // nothing: a speakerphone does it itself
)

// wayDelay is how long after it was handed to the loudspeaker a sound comes out of the microphone, as a first guess: the
// loudspeaker's buffer and one period of the microphone. The canceller finds the rest itself.
const wayDelay = 60 // ms

// Echo takes what the loudspeaker plays out of what the microphone hears. Played and Heard may be called at once by two
// goroutines. Close it when neither is called any more.
type Echo struct {
	treatment Treatment

	mu     sync.Mutex
	apm    *C.apm
	duck   duck
	far    []int16 // less than 10 ms, waiting for the rest
	failed uint64  // frames that the library refused; they pass as they are
}

// NewEcho returns a treatment that is ready.
func NewEcho(t Treatment) (*Echo, error) {
	e := &Echo{treatment: t}
	switch t {
	case Cancel:
		if e.apm = C.apm_new(wayDelay); e.apm == nil {
			return nil, errors.New("WebRTC's audio processing cannot be set up; use echo: duck, or a speakerphone and echo: device")
		}
	case Duck, OfDevice:
	default:
		return nil, fmt.Errorf("there is no treatment %q of echo; use cancel, duck or device", t)
	}
	return e, nil
}

// Close gives the library's memory back.
func (e *Echo) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.apm != nil {
		C.apm_free(e.apm)
		e.apm = nil
	}
}

// Failed is how many frames the library refused.
func (e *Echo) Failed() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.failed
}

// Played tells what goes to the loudspeaker.
func (e *Echo) Played(pcm []int16) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.far = append(e.far, pcm...)
	for ; len(e.far) >= tenMs; e.far = append(e.far[:0], e.far[tenMs:]...) {
		if e.apm != nil && C.apm_played(e.apm, (*C.int16_t)(unsafe.Pointer(&e.far[0]))) != 0 {
			e.failed++
		}
		e.duck.played(e.far[:tenMs])
	}
}

// Heard changes what the microphone gave, whole multiples of 10 ms, in place.
func (e *Echo) Heard(pcm []int16) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for ; len(pcm) >= tenMs; pcm = pcm[tenMs:] {
		switch {
		case e.apm != nil:
			if C.apm_heard(e.apm, (*C.int16_t)(unsafe.Pointer(&pcm[0]))) != 0 {
				e.failed++
			}
		case e.treatment == Duck:
			e.duck.heard(pcm[:tenMs])
		}
	}
}
