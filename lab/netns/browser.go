package netns

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Watched is what a real browser showed. Freezes are between pictures that reached the screen (requestVideoFrameCallback);
// the rest is WebRTC's own statistics of the same time.
type Watched struct {
	LongestFreezeMS  float64 `json:"longest_freeze_ms"`
	FreezeBeforeMS   float64 `json:"freeze_before_ms"` // the longest before the first blow: what the machine does by itself
	FreezeAfterMS    float64 `json:"freeze_after_ms"`  // the longest that began or lasted in the 5 s after the first blow
	Frames           uint64  `json:"frames"`           // pictures that reached the screen
	FreezeCount      uint64  `json:"freeze_count"`
	FreezesMS        float64 `json:"freezes_ms"` // total, by libwebrtc's own definition
	FramesDropped    uint64  `json:"frames_dropped"`
	KeyFramesDecoded uint64  `json:"key_frames_decoded"`
	PLICount         uint64  `json:"pli_count"`
	NACKCount        uint64  `json:"nack_count"`
	VideoLost        int64   `json:"video_packets_lost"`
	VoiceLost        int64   `json:"voice_packets_lost"`
	VoiceConcealedMS float64 `json:"voice_concealed_ms"` // made up by the browser, silence apart
}

// watch.js counts inside the page; it is loaded before the page's own scripts.
//
//go:embed watch.js
var watchScript string

// Browser is the helper that is a physician's real Chromium on the console's page. It answers:
//
//	ready        an error until the room's picture moves
//	mark, end    a measurement begins, ends
//	struck       the first blow falls now
//	watched      what was measured
func Browser(ctx context.Context, signIn, site string, in io.Reader, out io.Writer) error {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // the lab is root, in a namespace without a way out
		chromedp.Flag("ignore-certificate-errors", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("disable-gpu", true),
		chromedp.WindowSize(1280, 900),
	)
	ctx, stopChrome := chromedp.NewExecAllocator(ctx, options...)
	defer stopChrome()
	ctx, closeTab := chromedp.NewContext(ctx)
	defer closeTab()
	if err := open(ctx, signIn, site); err != nil {
		return err
	}
	return Serve(in, out, func(words []string) (any, error) { return ask(ctx, words) })
}

// open signs in and shows the room, as a person does: follow the link, confirm, choose the room.
func open(ctx context.Context, signIn, site string) error {
	install := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watchScript})
		return err
	})
	if err := chromedp.Do(ctx, install, chromedp.Navigate(signIn)); err != nil {
		return fmt.Errorf("open %s: %w", signIn, err)
	}
	for deadline := time.Now().Add(starting); ; {
		done, err := chromedp.Run(ctx, chromedp.Evaluate[bool](fmt.Sprintf("scansideLab.enter(%q)", site)))
		if err == nil && done {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("the console did not show room %s within %v", site, starting), err)
		}
		if err := sleep(ctx, soon); err != nil {
			return err
		}
	}
}

func ask(ctx context.Context, words []string) (any, error) {
	if len(words) != 1 {
		return nil, fmt.Errorf("%q is not a question", words)
	}
	switch words[0] {
	case "ready", "mark", "struck", "end", "watched":
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("scansideLab."+words[0]+"()", chromedp.EvalAwaitPromise))
		if err != nil {
			return nil, err
		}
		var answer struct {
			Error   string
			Watched *Watched
		}
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			return nil, err
		}
		if answer.Error != "" {
			return nil, errors.New(answer.Error)
		}
		return answer.Watched, nil
	}
	return nil, fmt.Errorf("%q is not a question", words)
}
