package device

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gen2brain/malgo"
)

// playPeriods is how much a loudspeaker holds, in periods of periodMillis: 40 ms, all of which the voice is late by. With
// less, a machine under load runs it dry.
const playPeriods = 4

// FindLoudspeaker turns a configured name into an ALSA PCM name and one for people, as findMicrophone does: the id of a
// card, or "pcm:" and the name of a PCM; "" stands for the first card that plays.
func FindLoudspeaker(name string) (pcm, label string, err error) { return findLoudspeaker("/", name) }

func findLoudspeaker(root, name string) (pcm, label string, err error) {
	return findCard(root, name, "loudspeaker", func(c soundCard) []int { return c.playback })
}

// RefuseNullLoudspeaker refuses ALSA's null device, which plays everything and is never heard, under any of its names.
func RefuseNullLoudspeaker(name string) error {
	if refuseNull(name) == nil {
		return nil
	}
	return fmt.Errorf("loudspeaker %q throws all sound away: name a sound card (\"scanside devices\" lists them)", name)
}

// Output opens loudspeakers, one at a time. The zero value is ready. It belongs to one goroutine.
type Output struct{ library soundLibrary }

// Open starts a loudspeaker, 16 bit mono at 48 kHz. fill is called on the library's thread for each 10 ms and must write all
// of out; ended is called when the device stops by itself. close returns when neither will be called again; a driver
// that hangs lets it hang.
func (o *Output) Open(pcm, label string, fill func(out []byte), ended func()) (close func(), err error) {
	close, err = o.library.start(malgo.Playback, pcm, playPeriods, malgo.DeviceCallbacks{Data: func(out, _ []byte, _ uint32) { fill(out) }, Stop: ended})
	switch {
	case err == nil:
		return close, nil
	case errors.Is(err, malgo.ErrBusy):
		return nil, fmt.Errorf("loudspeaker %s is in use by another program: close that program: %w", label, err)
	case errors.Is(err, malgo.ErrAccessDenied):
		return nil, fmt.Errorf("loudspeaker %s may not be opened: run as a member of the group \"audio\": %w", label, err)
	case errors.Is(err, malgo.ErrDoesNotExist), errors.Is(err, malgo.ErrNoDevice):
		return nil, fmt.Errorf("loudspeaker %s is gone: check its cable: %w", label, err)
	}
	return nil, fmt.Errorf("open loudspeaker %s: %s", label, strings.TrimPrefix(err.Error(), "malgo: "))
}

// Close gives the library's memory back. All loudspeakers must be closed.
func (o *Output) Close() { o.library.Close() }
