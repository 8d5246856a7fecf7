package main

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"scanside/lab/netns"
	"scanside/lab/roomscene"
	"scanside/media/content"
)

// contentCommand measures package media/content on drawn rooms and made sounds.
type contentCommand struct {
	Hours float64 `default:"4" help:"Simulated, of ordinary life, over eight rooms."`
	Rooms int     `default:"8" help:"How many."`
}

// contentResult is the last line. False alarms are verdicts other than none while all was well.
type contentResult struct {
	Hours         float64            `json:"simulated_hours"`
	FalsePictures map[string]int     `json:"false_alarms_picture"`
	FalseSounds   map[string]int     `json:"false_alarms_sound"`
	Said          map[string]float64 `json:"said_after_s"` // the latest of all rooms; -1: not within 10 s
	Late          int                `json:"later_than_2_s"`
	PictureCore   float64            `json:"picture_720p30_percent_of_a_core"`
	SoundCore     float64            `json:"sound_percent_of_a_core"`
}

func (c *contentCommand) Run(ctx context.Context) error {
	r := contentResult{Hours: c.Hours, FalsePictures: map[string]int{}, FalseSounds: map[string]int{}, Said: map[string]float64{}}
	for room := range c.Rooms {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fmt.Fprintf(os.Stderr, "room %d of %d: ordinary life for %.1f h\n", room+1, c.Rooms, c.Hours/float64(c.Rooms))
		long := time.Duration(c.Hours / float64(c.Rooms) * float64(time.Hour))
		r.pictures(uint64(room)+100, long)
		r.sounds(uint64(room)+100, long)
		r.faults(uint64(room) + 100)
	}
	r.cost()
	fmt.Println(netns.Line(r))
	if r.Late > 0 {
		return fmt.Errorf("%d faults were not said within 2 s", r.Late)
	}
	return nil
}

const (
	lookStep = 100 * time.Millisecond
	hearStep = 20 * time.Millisecond
)

func start() time.Time { return time.Unix(0, 0) }

// alarms counts the verdicts that begin.
type alarms struct {
	in   map[string]int
	last content.Fault
}

func (a *alarms) see(what string, at time.Duration, f content.Fault, found any) {
	if f != a.last && f != content.None {
		a.in[f.String()]++
		fmt.Fprintf(os.Stderr, "false alarm: %s, %v after %v: %+v\n", what, f, at, found)
	}
	a.last = f
}

func (r *contentResult) pictures(seed uint64, long time.Duration) {
	room, day, judge := roomscene.New(seed, 320, 180), roomscene.NewDay(seed), content.NewPicture(content.DefaultPolicy())
	a := alarms{in: r.FalsePictures}
	for at := time.Duration(0); at < long; at += lookStep {
		v := judge.See(start().Add(at), time.Time{}, room.Draw(day.At(at, lookStep)))
		a.see("picture", at, v.Fault, judge.Look())
	}
}

func (r *contentResult) sounds(seed uint64, long time.Duration) {
	ear, hour, judge := roomscene.NewEar(seed), roomscene.NewHour(seed), content.NewSound(content.DefaultPolicy())
	a := alarms{in: r.FalseSounds}
	var pcm [960]int16
	for at := time.Duration(0); at < long; at += hearStep {
		take, anew := hour.At(at.Seconds())
		if anew {
			ear.Sequence()
		}
		ear.Read(pcm[:], take)
		a.see("sound", at, judge.Hear(start().Add(at), pcm[:]).Fault, judge.Heard())
	}
}

// faults makes each, after a quarter of a minute in which all is well.
func (r *contentResult) faults(seed uint64) {
	const well, patience = 15 * time.Second, 10 * time.Second
	room := roomscene.New(seed, 320, 180)
	for _, s := range append(roomscene.PictureStories(), roomscene.PictureStory{Name: "the same picture for ever", Fault: content.Frozen}) {
		judge := content.NewPicture(content.DefaultPolicy())
		r.say(s.Name, s.Fault, well, patience, lookStep, func(at time.Duration, wrong bool) content.Fault {
			switch {
			case !wrong:
				room.Draw(roomscene.Lit())
			case s.Fault != content.Frozen:
				room.Draw(s.Shot)
			}
			return judge.See(start().Add(at), time.Time{}, room.Luma()).Fault
		})
	}
	ear := roomscene.NewEar(seed)
	var pcm [960]int16
	for _, s := range roomscene.SoundStories() {
		judge := content.NewSound(content.DefaultPolicy())
		r.say(s.Name, s.Fault, well, patience, hearStep, func(at time.Duration, wrong bool) content.Fault {
			take := roomscene.Speech()
			if wrong {
				take = s.Take
			}
			ear.Read(pcm[:], take)
			if wrong && s.Change != nil {
				s.Change(pcm[:])
			}
			return judge.Hear(start().Add(at), pcm[:]).Fault
		})
	}
}

func (r *contentResult) say(name string, want content.Fault, well, patience, step time.Duration, see func(at time.Duration, wrong bool) content.Fault) {
	after := -1.0
	for at := time.Duration(0); at < well+patience && after < 0; at += step {
		if f := see(at, at >= well); f == want && at >= well {
			after = (at - well + step).Seconds()
		}
	}
	if after < 0 || after > 2 {
		r.Late++
	}
	if was, known := r.Said[name]; !known || after < 0 || was >= 0 && after > was {
		r.Said[name] = after
	}
}

// cost takes processor time for a minute of material, drawn before.
func (r *contentResult) cost() {
	const seconds = 60
	room, judge := roomscene.New(1, 1280, 720), content.NewPicture(content.DefaultPolicy())
	l := room.Draw(roomscene.Lit())
	began := processor()
	for n := range seconds * 30 {
		l.Pix[n]++
		judge.See(start().Add(time.Duration(n)*time.Second/30), time.Time{}, l)
	}
	r.PictureCore = (processor() - began).Seconds() / seconds * 100
	var pcm [960]int16
	roomscene.NewEar(1).Read(pcm[:], roomscene.Speech())
	ear := content.NewSound(content.DefaultPolicy())
	began = processor()
	for n := range seconds * 50 {
		ear.Hear(start().Add(time.Duration(n)*hearStep), pcm[:])
	}
	r.SoundCore = (processor() - began).Seconds() / seconds * 100
}

// processor is the time this program has had on the processor; other programs do not count.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
