package netns

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"scanside/lab/browser"
	"scanside/lab/reference"
)

// Mouth is the helper that sends a reference's stream. Kinds: duplicator TO FROM…, pion, pion-fast, chromium. Those with a
// PeerConnection answer:
//
//	offer          a first offer, base64
//	accept SDP     takes the answer
//	restart        a new offer when the recipe calls for one, else ""
func Mouth(ctx context.Context, kind []string, in io.Reader, out io.Writer) error {
	switch kind[0] {
	case "duplicator":
		ctx, end := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- reference.Duplicate(ctx, kind[2:], kind[1]) }()
		err := Serve(in, out, func([]string) (any, error) { return "", nil }) // it never restarts anything
		end()
		return errors.Join(err, <-done)
	case "chromium":
		b, err := browser.Start(ctx, browser.Config{Devices: true})
		if err != nil {
			return err
		}
		defer b.Close()
		return Serve(in, out, func(words []string) (any, error) { return chromiumCalls(b, words) })
	}
	c, err := reference.Call(recipe(kind[0]))
	if err != nil {
		return err
	}
	defer c.Close()
	return Serve(in, out, func(words []string) (any, error) {
		switch {
		case len(words) == 1 && words[0] == "offer":
			return encoded(c.Offer(false))
		case len(words) == 1 && words[0] == "restart":
			if !c.WantsRestart() {
				return "", nil
			}
			return encoded(c.Offer(true))
		case len(words) == 2 && words[0] == "accept":
			answer, err := base64.StdEncoding.DecodeString(words[1])
			if err != nil {
				return nil, err
			}
			return nil, c.Accept(string(answer))
		}
		return nil, fmt.Errorf("%q is not a question", words)
	})
}

func recipe(kind string) reference.Recipe {
	if kind == "pion-fast" {
		return reference.Fast()
	}
	return reference.Recipe{}
}

func encoded(sdp string, err error) (any, error) {
	return base64.StdEncoding.EncodeToString([]byte(sdp)), err
}

// What a page does that leaves everything to the browser.
const (
	offerScript = `(async () => {
		const media = await navigator.mediaDevices.getUserMedia({audio: true, video: true})
		const pc = window.pc = new RTCPeerConnection()
		for (const t of media.getTracks()) pc.addTrack(t, media)
		await pc.setLocalDescription()
		await new Promise(done => {
			if (pc.iceGatheringState === 'complete') return done()
			pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && done()
		})
		return btoa(pc.localDescription.sdp)
	})()`
	acceptScript = `pc.setRemoteDescription({type: 'answer', sdp: atob('%s')}).then(() => 'accepted')`
)

func chromiumCalls(b *browser.Browser, words []string) (any, error) {
	switch {
	case len(words) == 1 && words[0] == "offer":
		return browser.Eval[string](b, offerScript)
	case len(words) == 1 && words[0] == "restart":
		return "", nil
	case len(words) == 2 && words[0] == "accept":
		return browser.Eval[string](b, fmt.Sprintf(acceptScript, words[1]))
	case len(words) == 2 && words[0] == "open":
		return nil, b.Open(words[1])
	}
	return nil, fmt.Errorf("%q is not a question", strings.Join(words, " "))
}

// EarOf is the helper that hears a reference's stream. Kinds: udp AT, pion, pion-fast, chromium. It answers:
//
//	answer SDP     answers an offer, both base64
//	total          how many packets came so far
//	mark           the measurement begins
//	heard          the measurement so far, a [reference.Heard]
func EarOf(ctx context.Context, kind []string, in io.Reader, out io.Writer) error {
	ear, answer := &reference.Ear{}, func(string) (string, error) { return "", errors.New("there is nothing to answer") }
	if kind[0] == "udp" {
		ctx, end := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- ear.Listen(ctx, kind[1]) }()
		defer func() { end(); <-done }()
	} else {
		c, err := reference.Answerer(recipe(kind[0]), kind[0] != "chromium")
		if err != nil {
			return err
		}
		defer c.Close()
		ear, answer = &c.Ear, c.Answer
	}
	return Serve(in, out, func(words []string) (any, error) {
		switch strings.Join(words[:min(1, len(words))], "") {
		case "total":
			return ear.Total(), nil
		case "mark":
			ear.Mark()
			return nil, nil
		case "heard":
			return ear.Heard(), nil
		case "answer":
			offer, err := base64.StdEncoding.DecodeString(strings.Join(words[1:], ""))
			if err != nil {
				return nil, err
			}
			return encoded(answer(string(offer)))
		}
		return nil, fmt.Errorf("%q is not a question", words)
	})
}
