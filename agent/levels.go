package agent

import (
	"time"

	"scanside/agent/status"
	"scanside/media"
)

// soundFresh is how old the last sample may be before a level is no longer shown: never a bar from a device that is gone.
const soundFresh = time.Second

// tooLoud is the peak in dBFS from which on a sound is about to be distorted.
const tooLoud = -1

// Levels implements status.Box: how loud microphone and loudspeaker are. It gives numbers alone, never sound.
func (b boxed) Levels() status.Levels {
	now := time.Now()
	return status.Levels{At: now, Microphone: b.a.hearMicrophone(now), Loudspeaker: b.a.hearLoudspeaker(now)}
}

func (a *Agent) hearMicrophone(now time.Time) status.Sound {
	s := a.source(media.Voice)
	if s == nil {
		return status.Sound{Level: status.Unknown, Sentence: "No microphone is configured."}
	}
	if s.muted.Load() {
		return status.Sound{There: true, Level: status.Warning, Sentence: "The microphone is muted: nothing of it leaves the room."}
	}
	metered, ok := s.src.(media.Metered)
	if !ok {
		return status.Sound{There: true, Level: status.Unknown, Sentence: "How loud it is, is not known of this source."}
	}
	l := metered.Loudness()
	if l.At.IsZero() || now.Sub(l.At) > soundFresh {
		return status.Sound{There: true, Level: status.Bad, Sentence: "No sound comes from the microphone."}
	}
	v := status.Sound{There: true, RMS: &l.Level, Peak: &l.Peak, Heard: l.Heard, Level: status.OK}
	switch {
	case l.Peak >= tooLoud:
		v.Level, v.Sentence = status.Warning, "Too loud: turn the microphone down, or step back."
	case l.Heard:
		v.Sentence = "We hear you."
	case l.Peak <= media.Quietest:
		v.Level, v.Sentence = status.Warning, "Nothing at all, not even noise: look for a mute switch on the microphone."
	default:
		v.Level, v.Sentence = status.Notice, "Only the room's own noise. Say something."
	}
	return v
}

func (a *Agent) hearLoudspeaker(now time.Time) status.Sound {
	speaker := a.parts.Loudspeaker
	if speaker == nil {
		return status.Sound{Level: status.Unknown, Sentence: "The box plays no voice."}
	}
	metered, ok := speaker.(media.Metered)
	if !ok {
		return status.Sound{There: true, Level: status.Unknown, Sentence: "How loud it is, is not known of this loudspeaker."}
	}
	l := metered.Loudness()
	switch {
	case l.At.IsZero() || now.Sub(l.At) > soundFresh:
		return status.Sound{There: true, Level: status.Bad, Sentence: "The loudspeaker takes no sound."}
	case l.Peak <= silentBelow:
		return status.Sound{There: true, RMS: &l.Level, Peak: &l.Peak, Level: status.Notice, Sentence: "Silent: nobody talks to the room."}
	}
	return status.Sound{There: true, RMS: &l.Level, Peak: &l.Peak, Heard: true, Level: status.OK, Sentence: "It is playing."}
}

// silentBelow is the peak in dBFS below which a loudspeaker cannot be heard: comfort noise and what a decoder makes of silence.
const silentBelow = -60
