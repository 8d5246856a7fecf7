package speech

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"
)

// Rate is the samples a second of all sound here.
const Rate = 48000

// What is said in the lab.
const (
	Physician = "Good morning, this is the supervising physician. I can see the patient and the injector. Please confirm the kidney values, the allergy history and the weight before you start. If there is any warmth, itching or shortness of breath, stop at once and tell me. I stay on the line until the observation is over."
	Person    = "Yes, doctor, the values are from this morning, and there is no known allergy. The line is in the left arm and it runs well. We start the injection now with three millilitres a second. The patient says he feels warm, nothing else. Pulse is normal."
)

// Voices of espeak-ng that differ.
const (
	British  = "en-gb"
	American = "en-us+f3"
)

// Say is what espeak-ng makes of a text.
func Say(voice, text string) ([]int16, error) {
	wav, err := exec.Command("espeak-ng", "-v", voice, "-s", "165", "--stdout", text).Output()
	if err != nil {
		return nil, fmt.Errorf("let espeak-ng speak (Debian package espeak-ng): %w", err)
	}
	at := bytes.Index(wav, []byte("data"))
	if at < 0 || len(wav) < at+8 || len(wav) < 28 {
		return nil, errors.New("espeak-ng gave no WAV")
	}
	from := int(binary.LittleEndian.Uint32(wav[24:]))
	raw := wav[at+8:]
	pcm := make([]int16, 0, len(raw)/2*Rate/from)
	for n := 0; ; n++ {
		x := float64(n) * float64(from) / Rate
		i := int(x)
		if 2*i+4 > len(raw) {
			return pcm, nil
		}
		a, b := int16(binary.LittleEndian.Uint16(raw[2*i:])), int16(binary.LittleEndian.Uint16(raw[2*i+2:]))
		pcm = append(pcm, int16(float64(a)+(float64(b)-float64(a))*(x-float64(i))))
	}
}
