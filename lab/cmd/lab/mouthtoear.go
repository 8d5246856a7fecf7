package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"scanside/lab/browser"
	"scanside/lab/netns"
	"scanside/lab/soundcard"
	"scanside/lab/speech"
)

// mouthToEarCommand has a physician in a real Chromium and a person in the room talk to each other, through the real program and its
// two emulated uplinks, by sound cards of a private sound server, and finds in what is heard when it was said.
type mouthToEarCommand struct {
	Agent string `default:"build/scanside" env:"SCANSIDE_AGENT" placeholder:"FILE" help:"The agent's program."`
}

// mouthToEar is one line of what is printed. Delays are from the sound server's word that a sample was said to its word that it
// was played.
type mouthToEar struct {
	Way       string  `json:"way"`
	P50       float64 `json:"delay_ms_p50"`
	P95       float64 `json:"delay_ms_p95"`
	Pieces    int     `json:"pieces"` // of half a second, one each 100 ms of speech
	Unheard   int     `json:"unheard"`
	Made      *uint64 `json:"frames_made_up,omitempty"` // 20 ms each, by the loudspeaker's concealment
	Network   float64 `json:"network_ms"`               // one way, of the uplink that carries it sooner
	HeldLater float64 `json:"loudspeaker_buffer_ms,omitempty"`
	Device    float64 `json:"loudspeaker_device_ms,omitempty"`
}

// The cards.
const (
	desk    = "desk"    // the physician's microphone
	headset = "headset" // what he hears
	table   = "table"   // the room's microphone
	wall    = "wall"    // its loudspeaker
)

const (
	mouthToEarLimit = 4 * time.Minute
	pageWithin      = 30 * time.Second
	settle          = 3 * time.Second // until buffers are what they stay
	cutAfter        = 6 * time.Second // of speech
	farWay, nearWay = 30, 10          // ms one way of the demo's two uplinks
)

//go:embed mouthtoear.js
var callInOneTab string

func (c *mouthToEarCommand) Run(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, mouthToEarLimit)
	defer cancel()
	dir, err := os.MkdirTemp("", "scanside-sound-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cards, err := soundcard.Start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cards.Close()) }()
	err = errors.Join(cards.PlugMicrophone(ctx, desk), cards.PlugSpeaker(ctx, headset), cards.PlugMicrophone(ctx, table), cards.PlugSpeaker(ctx, wall),
		cards.Prefer(ctx, headset, desk))
	if err != nil {
		return err
	}
	d, err := startDemo(ctx, c.Agent, cards.Env(), "--microphone", soundcard.PCM(table), "--loudspeaker", soundcard.PCM(wall))
	if err != nil {
		return err
	}
	defer d.Close()
	b, err := browser.Start(ctx, browser.Config{Sound: cards.Env()})
	if err != nil {
		return err
	}
	defer b.Close()
	call := &call{ctx: ctx, cards: cards, demo: d, tab: b}
	if err := call.begin(); err != nil {
		return err
	}
	return errors.Join(call.measure(), call.compare())
}

// call is the physician at the console, and the room.
type call struct {
	ctx   context.Context
	cards *soundcard.Server
	demo  *demo
	tab   *browser.Browser
}

// begin opens the room at the console and presses Talk.
func (c *call) begin() error {
	if err := c.tab.Open(c.demo.SignIn); err != nil {
		return err
	}
	if err := c.until("a live picture", `document.getElementById("stage")?.dataset.picture === "live"`); err != nil {
		return err
	}
	if err := c.tab.Click("#talk"); err != nil {
		return err
	}
	if err := c.until("the word that the room hears", `!document.getElementById("on-air").hidden`); err != nil {
		return err
	}
	time.Sleep(settle)
	return nil
}

// until waits until something is true in the page.
func (c *call) until(what, expression string) error {
	for begun := time.Now(); time.Since(begun) < pageWithin; time.Sleep(100 * time.Millisecond) {
		if is, err := browser.Eval[bool](c.tab, expression); err == nil && is {
			return nil
		}
	}
	text, _ := browser.Eval[string](c.tab, "document.body.innerText")
	return fmt.Errorf("waited in vain for %s; the page says: %.300s", what, text)
}

// measure prints a line for each way, and one for the physician's while the uplink that carries him sooner is cut.
func (c *call) measure() error {
	physician, err1 := speech.Say(speech.British, speech.Physician)
	person, err2 := speech.Say(speech.American, speech.Person)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	line, err := c.toRoom("physician's mouth to room's ear", physician, nil)
	if err != nil {
		return err
	}
	fmt.Println(netns.Line(line))
	line, err = c.toRoom("the same, primary uplink cut", physician, func() error { return c.demo.impair(c.ctx, "primary/cut") })
	if err = errors.Join(err, c.demo.impair(c.ctx, "primary/restore")); err != nil {
		return err
	}
	line.Network = farWay
	fmt.Println(netns.Line(line))
	found, err := c.say(person, table, headset, nil)
	if err != nil {
		return err
	}
	line = told("room's mouth to physician's ear", found)
	line.Network = nearWay
	fmt.Println(netns.Line(line))
	return nil
}

// toRoom says something at the desk and tells what the room's loudspeaker played of it.
func (c *call) toRoom(way string, pcm []int16, meanwhile func() error) (mouthToEar, error) {
	before, err := c.demo.Box.Status(c.ctx)
	if err != nil {
		return mouthToEar{}, err
	}
	found, err := c.say(pcm, desk, wall, meanwhile)
	if err != nil {
		return mouthToEar{}, err
	}
	after, err := c.demo.Box.Status(c.ctx)
	if err != nil {
		return mouthToEar{}, err
	}
	line := told(way, found)
	made := after.Loudspeaker.Concealed + after.Loudspeaker.Corrected - before.Loudspeaker.Concealed - before.Loudspeaker.Corrected
	line.Made, line.Network, line.HeldLater, line.Device = &made, nearWay, after.Loudspeaker.Delay, loudspeakerHolds
	return line, nil
}

// loudspeakerHolds is what the agent lets the device hold, ms: media/device's playPeriods.
const loudspeakerHolds = 40

// say says something into a microphone and compares it with what a loudspeaker plays.
func (c *call) say(pcm []int16, microphone, speaker string, meanwhile func() error) ([]speech.Heard, error) {
	mouth, err := c.cards.RecordMouth(c.ctx, microphone)
	if err != nil {
		return nil, err
	}
	ear, err := c.cards.RecordSpeaker(c.ctx, speaker)
	if err != nil {
		return nil, err
	}
	struck := make(chan error, 1)
	if meanwhile == nil {
		struck <- nil
	} else {
		time.AfterFunc(cutAfter, func() { struck <- meanwhile() })
	}
	err = errors.Join(c.cards.Say(c.ctx, microphone, pcm), <-struck)
	time.Sleep(settle / 2) // until the last word was heard
	said, err1 := mouth.Stop()
	heard, err2 := ear.Stop()
	if err := errors.Join(err, err1, err2); err != nil {
		return nil, err
	}
	return speech.Compare(said, heard), nil
}

// compare prints what a call of one browser with itself is, over no network at all: nobody's uplinks, nobody's far end.
func (c *call) compare() error {
	console, _, _ := strings.Cut(c.demo.SignIn, "/signin")
	if err := c.tab.Open(console + "/"); err != nil { // the room is left
		return err
	}
	if _, err := browser.Eval[bool](c.tab, callInOneTab); err != nil {
		return err
	}
	time.Sleep(settle)
	pcm, err := speech.Say(speech.British, speech.Physician)
	if err != nil {
		return err
	}
	found, err := c.say(pcm, desk, headset, nil)
	if err != nil {
		return err
	}
	fmt.Println(netns.Line(told("reference: Chromium to itself in one tab, no network", found)))
	return nil
}

func told(way string, found []speech.Heard) mouthToEar {
	line := mouthToEar{Way: way, Pieces: len(found)}
	var delays []float64
	for _, h := range found {
		if h.Understood() {
			delays = append(delays, float64(h.Delay.Microseconds()/100)/10)
		}
	}
	line.Unheard = len(found) - len(delays)
	if slices.Sort(delays); len(delays) > 0 {
		line.P50, line.P95 = delays[len(delays)/2], delays[len(delays)*95/100]
	}
	return line
}
