package agent

import (
	"context"
	"fmt"
	"sync"
	"time"

	"scanside/agent/status"
	"scanside/media"
	"scanside/selftest"
)

// Ear records what the room's microphone gives, for the self-test alone: nothing of it is kept.
type Ear interface {
	Record(ctx context.Context, d time.Duration) ([]int16, error)
}

const (
	speakFor  = 3 * time.Second         // "say something"
	chirpFor  = 2500 * time.Millisecond // the chirp, the devices' buffers and the room
	lookFor   = time.Second             // at the camera's pictures
	playFor   = 6 * time.Second         // until what was recorded has been played
	slowest   = 5.0                     // pictures a second, below which a person is not followed
	checkRest = 500 * time.Millisecond  // between two checks, so that one is not heard in the other
)

// tester makes the self-test, one at a time, when somebody asks for it. Nothing of it is kept but the sentences.
type tester struct {
	agent *Agent
	begin chan struct{}

	mu   sync.Mutex
	last status.SelfTest
}

func newTester(a *Agent) *tester {
	return &tester{agent: a, begin: make(chan struct{}, 1), last: status.SelfTest{Results: []status.Check{}}}
}

// StartSelfTest implements status.Box.
func (b boxed) StartSelfTest() error {
	t := b.a.tester
	if b.a.Snapshot().Status.Procedure.Open {
		return status.ErrOpen
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last.Running {
		return status.ErrTesting
	}
	t.last = status.SelfTest{Running: true, Results: []status.Check{}, Say: "The self-test begins."}
	t.begin <- struct{}{} // there is room: none is running
	return nil
}

// SelfTest implements status.Box.
func (b boxed) SelfTest() status.SelfTest {
	t := b.a.tester
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.last
	s.Results = append([]status.Check{}, s.Results...)
	return s
}

// Run makes the self-tests that are asked for until ctx ends.
func (t *tester) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.begin:
			t.all(ctx)
		}
	}
}

// all makes the checks one after the other. A procedure that is opened meanwhile ends it: nothing is played into one.
func (t *tester) all(ctx context.Context) {
	for _, check := range []func(context.Context) status.Check{t.camera, t.echo, t.speak} {
		if ctx.Err() != nil || t.disturbed() {
			break
		}
		c := check(ctx)
		t.mu.Lock()
		t.last.Results = append(t.last.Results, c)
		t.mu.Unlock()
		pause(ctx, checkRest)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last.Running, t.last.At, t.last.Say = false, time.Now(), ""
	if t.disturbed() {
		t.last.Say = "The self-test was broken off: a procedure was opened."
	}
}

func (t *tester) disturbed() bool { return t.agent.Snapshot().Status.Procedure.Open }

// say tells the person in the room what to do now.
func (t *tester) say(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last.Say = text
}

func (t *tester) camera(ctx context.Context) status.Check {
	t.say("The camera's pictures are being counted.")
	s := t.agent.source(media.Video)
	bad := func(sentence, do string) status.Check {
		return status.Check{Name: "camera", Sentence: sentence, Do: do}
	}
	if s == nil {
		return bad("The configuration names no camera.", "Set camera.device in the configuration.")
	}
	before := s.health(time.Now())
	pause(ctx, lookFor)
	now := s.health(time.Now())
	rate := float64(now.Frames-before.Frames) / lookFor.Seconds()
	switch {
	case t.agent.Snapshot().Status.Privacy.Camera.Muted:
		return bad("The camera is muted in the room.", "Open it again under Privacy, and test once more.")
	case !now.OK && now.Reason != "":
		return bad(sentence(now.Reason), "Check the camera and its cable, and test once more.")
	case now.Frames == before.Frames:
		return bad("The camera gave no fresh picture within a second.", "Pull its cable, plug it in again, and test once more.")
	case rate < slowest:
		return bad(fmt.Sprintf("The camera gives %.0f pictures a second, too few to follow a person.", rate), "Give the room more light, or set a smaller picture in the configuration.")
	}
	size := ""
	if now.Width > 0 {
		size = fmt.Sprintf(" of %d × %d", now.Width, now.Height)
	}
	return status.Check{Name: "camera", Pass: true, Sentence: fmt.Sprintf("The camera gives fresh pictures%s, %.0f a second.", size, rate)}
}

// ready says why the sound checks cannot be made; nil: they can.
func (t *tester) ready(name string) *status.Check {
	a := t.agent
	bad := func(sentence, do string) *status.Check { return &status.Check{Name: name, Sentence: sentence, Do: do} }
	mic := a.source(media.Voice)
	switch {
	case a.parts.Loudspeaker == nil:
		return bad("The configuration names no loudspeaker.", "Set loudspeaker.device in the configuration, or try by ear what plays the physician's voice instead.")
	case a.parts.Ear == nil || mic == nil:
		return bad("The configuration names no microphone of this room.", "Set microphone.device in the configuration.")
	case a.Snapshot().Status.Privacy.Microphone.Muted:
		return bad("The microphone is muted in the room.", "Open it again under Privacy, and test once more.")
	}
	if p := a.parts.Loudspeaker.Playback(); !p.OK {
		return bad("The loudspeaker does not play. "+sentence(p.Reason), "Check the loudspeaker and its cable, and test once more.")
	}
	return nil
}

func (t *tester) echo(ctx context.Context) status.Check {
	const name = "speaker-to-microphone"
	if no := t.ready(name); no != nil {
		return *no
	}
	t.say("The loudspeaker chirps, and the microphone listens for it.")
	recorded := make(chan []int16, 1)
	go func() {
		pcm, _ := t.agent.parts.Ear.Record(ctx, chirpFor)
		recorded <- pcm
	}()
	_, err := t.agent.parts.Loudspeaker.Play(selftest.Chirp())
	pcm := <-recorded
	if err != nil {
		return status.Check{Name: name, Sentence: sentence(err.Error()), Do: "Check the loudspeaker and its cable, and test once more."}
	}
	f := selftest.Find(pcm)
	switch {
	case len(pcm) == 0:
		return status.Check{Name: name, Sentence: "The microphone gave no sound at all.", Do: "Check the microphone and its cable, and test once more."}
	case !f.Heard:
		return status.Check{Name: name, Sentence: "The microphone does not hear the loudspeaker.", Do: "Turn both up, look for a mute switch on either, and check that the right devices are configured (\"scanside devices\")."}
	}
	return status.Check{Name: name, Pass: true, Sentence: fmt.Sprintf("The microphone hears the loudspeaker, about %d ms later, %.0f dB against what was played.", f.Delay.Milliseconds(), f.Level)}
}

func (t *tester) speak(ctx context.Context) status.Check {
	const name = "say-something"
	if no := t.ready(name); no != nil {
		return *no
	}
	t.say("Say something now, for three seconds. It is played back to you and not kept.")
	pcm, err := t.agent.parts.Ear.Record(ctx, speakFor)
	if err != nil {
		return status.Check{Name: name, Sentence: sentence(err.Error()), Do: "Test once more."}
	}
	defer clear(pcm)
	v := selftest.Listen(pcm)
	switch {
	case v.Dead:
		return status.Check{Name: name, Sentence: "The microphone gave nothing, not even noise.", Do: "Look for a mute switch on the microphone, check its cable, and test once more."}
	case !v.Heard:
		return status.Check{Name: name, Sentence: fmt.Sprintf("No voice was heard; the loudest moment was at %.0f dB below full scale.", -v.Level), Do: "Speak up, closer to the microphone, and test once more."}
	}
	if t.disturbed() {
		return status.Check{Name: name, Sentence: "It was not played back: a procedure was opened.", Do: "Test once more when it is closed."}
	}
	t.say("This is what the microphone heard.")
	played, err := t.agent.parts.Loudspeaker.Play(pcm)
	if err != nil {
		return status.Check{Name: name, Sentence: "A voice was heard, but not played back: " + err.Error() + ".", Do: "Check the loudspeaker, and test once more."}
	}
	select {
	case <-played:
	case <-ctx.Done():
	case <-time.After(playFor):
	}
	if v.Faint {
		return status.Check{Name: name, Sentence: fmt.Sprintf("A voice was heard, but very softly, %.0f dB below full scale.", -v.Level), Do: "Turn the microphone up or bring it closer, and test once more."}
	}
	return status.Check{Name: name, Pass: true, Sentence: fmt.Sprintf("A voice was heard, %.0f dB below full scale, and played back.", -v.Level)}
}
