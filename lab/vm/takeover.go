package main

import (
	"context"
	"errors"
	"fmt"

	"scanside/agent/status"
)

// The acts with two cameras and two microphones.

// uses says whether the stream's source uses its nth device, and that one is well.
func uses(n int) func(status.Stream) bool {
	return func(s status.Stream) bool {
		return len(s.Devices) > n && s.Devices[n].Used && s.Devices[n].Condition == "ok"
	}
}

// standsBy says whether the nth device is well and not used.
func standsBy(n int) func(status.Stream) bool {
	return func(s status.Stream) bool {
		return len(s.Devices) > n && !s.Devices[n].Used && s.Devices[n].Condition == "ok"
	}
}

// well says whether the nth device is well.
func well(n int) func(status.Stream) bool {
	return func(s status.Stream) bool { return len(s.Devices) > n && s.Devices[n].Condition == "ok" }
}

// takeOver plays one story: the second device is there, the first is lost, the second is used, the first is there again
// and well. The agent runs on meanwhile. When the first is used again is a matter of its patience, which the acts before have doubled.
func (r *cameraRun) takeOver(ctx context.Context, kind string, lose, restore func(context.Context) error) (takeover, error) {
	var out takeover
	before, err := r.running(ctx)
	if err != nil {
		return out, err
	}
	if _, err := r.until(ctx, kind, "the second device stands by", standsBy(1)); err != nil {
		return out, err
	}
	if err := lose(ctx); err != nil {
		return out, err
	}
	t, err := r.until(ctx, kind, "the second device is used", uses(1))
	if err != nil {
		return out, err
	}
	out.TakenAfter = t.SaidAfter
	if out.Says, err = r.told(ctx, kind); err != nil {
		return out, err
	}
	if kind == "video" {
		if err := r.untilShown(ctx, "the second camera's picture", 10); err != nil {
			return out, err
		}
	}
	if restore == nil {
		return out, r.ranOn(ctx, before)
	}
	if err := restore(ctx); err != nil {
		return out, err
	}
	if t, err = r.until(ctx, kind, "the first device is well again", well(0)); err != nil {
		return out, err
	}
	out.WellAfter = t.SaidAfter
	return out, r.ranOn(ctx, before)
}

// ranOn checks that the agent still runs that ran before.
func (r *cameraRun) ranOn(ctx context.Context, before string) error {
	after, err := r.running(ctx)
	r.check(after == before, "the agent was restarted: %s, then %s", before, after)
	return err
}

// told is the box's word on its last change of device.
func (r *cameraRun) told(ctx context.Context, kind string) (string, error) {
	s, err := r.status(ctx)
	if err != nil {
		return "", err
	}
	for _, stream := range s.Streams {
		if stream.Kind == kind && len(stream.Devices) > 1 {
			return stream.Choice.Sentence, nil
		}
	}
	return "", fmt.Errorf("the box does not say which device its %s comes from", kind)
}

func (r *cameraRun) stopFrames(ctx context.Context) error {
	var err error
	r.report.Frames, err = r.takeOver(ctx, "video",
		func(ctx context.Context) error { return r.StopFrames(ctx, front, true) },
		func(ctx context.Context) error { return r.StopFrames(ctx, front, false) })
	if err != nil {
		return err
	}
	t, err := r.until(ctx, "video", "the first camera is used again", uses(0))
	r.report.Frames.BackAfter = t.SaidAfter
	return errors.Join(err, r.untilShown(ctx, "the first camera's picture", 10))
}

func (r *cameraRun) loseCamera(ctx context.Context) error {
	var err error
	r.report.Gone, err = r.takeOver(ctx, "video", func(ctx context.Context) error { return r.Disconnect(ctx, front) }, nil)
	return err
}

// damage has the driver mark a frame as damaged: it is skipped and counted, and the camera stays open.
func (r *cameraRun) damage(ctx context.Context) error {
	counts := func() (bad, opens uint64, err error) {
		s, err := r.status(ctx)
		if err != nil {
			return 0, 0, err
		}
		for _, stream := range s.Streams {
			if stream.Kind == "video" && len(stream.Devices) > 0 {
				return stream.Devices[0].Bad, stream.Devices[0].Opens, nil
			}
		}
		return 0, 0, errors.New("the box does not say which camera it uses")
	}
	before, opens, err := counts()
	if err != nil {
		return err
	}
	if err := r.DamageFrame(ctx, front); err != nil {
		return err
	}
	return waitUntil(ctx, changeWithin, "the damaged picture is counted", func() error {
		bad, now, err := counts()
		if err == nil && bad == before {
			err = fmt.Errorf("%d damaged pictures", bad)
		}
		r.report.Damaged = bad - before
		r.check(err != nil || now == opens, "the camera was opened %d times more because of one damaged picture", now-opens)
		return err
	})
}

func (r *cameraRun) pullMicrophone(ctx context.Context) error {
	if err := r.Speak(ctx, spareCard); err != nil {
		return err
	}
	var err error
	r.report.Microphones, err = r.takeOver(ctx, "voice", r.PullMicrophone, func(ctx context.Context) error {
		if err := r.Hush(ctx, microphoneCard); err != nil { // its mouth is gone too
			return err
		}
		return errors.Join(r.PlugMicrophone(ctx), r.Speak(ctx, microphoneCard))
	})
	return errors.Join(err, r.Hush(ctx, spareCard))
}
