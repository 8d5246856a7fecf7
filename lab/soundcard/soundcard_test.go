package soundcard

import (
	"os/exec"
	"testing"
	"time"

	"scanside/lab/speech"
)

// What is said into a microphone arrives at its mouth's recording, once and in time; what is pulled out is gone.
func TestSaidIsRecorded(t *testing.T) {
	for _, needed := range []string{"pulseaudio", "pactl", "pacat", "parec", "espeak-ng"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skip(err)
		}
	}
	s, err := Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.PlugMicrophone(t.Context(), "room"); err != nil {
		t.Fatal(err)
	}
	r, err := s.RecordMouth(t.Context(), "room")
	if err != nil {
		t.Fatal(err)
	}
	pcm, err := speech.Say(speech.American, "Yes, doctor, the line is in the left arm.")
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := s.Say(t.Context(), "room", pcm); err != nil {
		t.Fatal(err)
	}
	sound, err := r.Stop()
	if err != nil {
		t.Log(err) // of a busy machine
	}
	found := speech.Compare(speech.Sound{Begun: begun, PCM: pcm}, sound)
	if len(found) == 0 {
		t.Fatal("nothing was said")
	}
	understood := 0
	for _, h := range found {
		if h.Understood() {
			understood++
		}
	}
	if understood < len(found)/2 { // a busy machine tears a piece or two
		t.Errorf("%d of %d pieces were recorded", understood, len(found))
	}
	if err := s.Pull(t.Context(), "room"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.RecordMouth(t.Context(), "room"); err == nil {
		t.Error("a microphone that was pulled out is recorded")
	}
}
