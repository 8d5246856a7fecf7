package room

import (
	"github.com/hraban/opus"

	"scanside/media/playout"
)

const (
	rate    = playout.Rate
	tenMs   = rate / 100
	finest  = rate / 400        // Opus decodes and conceals in multiples of 2.5 ms (RFC 6716 2.1.4)
	longest = rate * 120 / 1000 // samples of one packet at most
)

// voice turns the buffer's steps into sound. It belongs to the sound library's thread.
type voice struct {
	decoder *opus.Decoder
	pcm     [longest]int16
	bad     uint64 // packets that libopus refused
}

func newVoice() (*voice, error) {
	d, err := opus.NewDecoder(rate, 1) // stereo is mixed down
	if err != nil {
		return nil, err
	}
	return &voice{decoder: d}, nil
}

// play appends the samples of one step to out.
func (v *voice) play(out []int16, s playout.Step) []int16 {
	n := min(s.Samples, longest)
	switch s.Kind {
	case playout.Decode:
		if got, err := v.decoder.Decode(s.Payload, v.pcm[:]); err == nil {
			return playout.Change(out, v.pcm[:got], s.Stretch)
		}
		v.bad++
		return v.conceal(out, n, nil)
	case playout.Correct:
		return v.conceal(out, n, s.Payload)
	case playout.Conceal:
		return v.conceal(out, n, nil)
	}
	return append(out, make([]int16, n)...)
}

// conceal makes up n samples, or takes them from the packet that comes after them.
func (v *voice) conceal(out []int16, n int, next []byte) []int16 {
	clear(v.pcm[:n])
	if whole := n - n%finest; whole > 0 {
		part := v.pcm[:whole:whole] // the library fills a slice to its capacity
		var err error
		if next != nil {
			err = v.decoder.DecodeFEC(next, part)
		} else {
			err = v.decoder.DecodePLC(part)
		}
		if err != nil {
			v.bad++
			clear(part)
		}
	}
	return append(out, v.pcm[:n]...)
}
