package browser

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

//go:embed watch.js
var watchScript string

// Config says what kind of person watches. The zero value has a desktop's screen and no camera.
type Config struct {
	Width, Height int       // of the window, pixels; 0: 1280 by 800
	Phone         bool      // the window is a phone's screen, two dots a pixel: as narrow as Width says, with touch
	Sound         []string  // environment of a sound server (lab/soundcard): the microphone and the loudspeaker are its cards; nil: neither
	Devices       bool      // Chromium's own fake camera and microphone, permission given: somebody who can talk
	Arguments     []string  // further switches, "name" or "name=value", without dashes
	Log           io.Writer // Chromium's own output; nil: none
}

const (
	startWithin  = 60 * time.Second // a busy machine; 1 s on an idle one
	answerWithin = 30 * time.Second
)

// Browser is a Chromium with one tab. One goroutine at a time.
type Browser struct {
	ctx  context.Context // of the tab: commands need one derived from it
	end  context.CancelFunc
	free context.CancelFunc
}

// Start starts Chromium. Close it. It ends with ctx and with this process too.
func Start(ctx context.Context, cfg Config) (*Browser, error) {
	if cfg.Width == 0 {
		cfg.Width, cfg.Height = 1280, 800
	}
	b := &Browser{}
	ctx, b.free = chromedp.NewExecAllocator(ctx, cfg.switches()...)
	b.ctx, b.end = chromedp.NewContext(ctx)
	started := make(chan error, 1)
	// The first command's context is the browser's life, so that the limit stands outside of it.
	go func() {
		_, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watchScript})
		if err == nil && cfg.Phone {
			err = chromedp.Do(b.ctx, chromedp.EmulateViewport(int64(cfg.Width), int64(cfg.Height), chromedp.EmulateScale(2), chromedp.EmulateMobile, chromedp.EmulateTouch))
		}
		started <- err
	}()
	var err error
	select {
	case err = <-started:
	case <-time.After(startWithin):
		err = fmt.Errorf("not within %.0f s", startWithin.Seconds())
	}
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("starting Chromium: %w (is the package chromium installed?)", err)
	}
	return b, nil
}

func (cfg Config) switches() []chromedp.ExecAllocatorOption {
	all := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, // in the lab it runs as root, on our own pages
		chromedp.WindowSize(cfg.Width, cfg.Height),
		chromedp.IgnoreCertErrors,
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		// With mDNS names for addresses, a far end without mDNS would not know where to send.
		chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,WebRtcHideLocalIpsWithMdns"),
	)
	if cfg.Devices {
		all = append(all, chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true))
	}
	if cfg.Sound != nil {
		all = append(all, chromedp.Env(cfg.Sound...), chromedp.Flag("mute-audio", false), chromedp.Flag("use-fake-ui-for-media-stream", true))
	}
	for _, a := range cfg.Arguments {
		all = append(all, argument(a))
	}
	if cfg.Log != nil {
		all = append(all, chromedp.CombinedOutput(cfg.Log))
	}
	return all
}

func argument(a string) chromedp.ExecAllocatorOption {
	for i := range a {
		if a[i] == '=' {
			return chromedp.Flag(a[:i], a[i+1:])
		}
	}
	return chromedp.Flag(a, true)
}

// Close ends Chromium and waits for it.
func (b *Browser) Close() {
	_ = chromedp.Cancel(b.ctx) // an error says that it is gone already
	b.end()
	b.free()
}

// Open goes to a page and waits until it has loaded.
func (b *Browser) Open(url string) error {
	ctx, cancel := context.WithTimeout(b.ctx, answerWithin)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		return fmt.Errorf("opening %s: %w", withoutQuery(url), err)
	}
	return nil
}

// withoutQuery keeps one-time codes out of errors.
func withoutQuery(url string) string {
	for i := range url {
		if url[i] == '?' {
			return url[:i]
		}
	}
	return url
}

// Click clicks the first element that a CSS selector finds, as soon as it can be seen.
func (b *Browser) Click(selector string) error {
	ctx, cancel := context.WithTimeout(b.ctx, answerWithin)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
		return fmt.Errorf("clicking %s: %w", selector, err)
	}
	return nil
}

// Eval evaluates a JavaScript expression in the page; a promise is waited for.
func Eval[T any](b *Browser, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, answerWithin)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		return v, fmt.Errorf("asking the page for %s: %w", expression, err)
	}
	return v, nil
}

// Seen is what the page's peer connections received and its video element showed. Seconds, Shown and the three of Freeze…MS
// count since the last Mark, or the page's beginning; the rest since each connection's beginning (see Minus).
type Seen struct {
	Seconds   float64 `json:"seconds"`
	Shown     int     `json:"shown"`            // frames put on the screen
	FreezeMS  float64 `json:"freeze_ms"`        // longest time between two of them
	BeforeMS  float64 `json:"freeze_before_ms"` // the longest before Struck: what the machine does by itself
	AfterMS   float64 `json:"freeze_after_ms"`  // the longest that began or lasted in the 5 s after Struck
	Decoded   int     `json:"decoded"`          // frames
	KeyFrames int     `json:"key_frames"`
	Dropped   int     `json:"dropped"` // frames decoded and not shown
	Freezes   int     `json:"freezes"` // by libwebrtc's own definition: a frame three times as late as usual
	FreezesMS float64 `json:"freezes_ms"`
	PLI       int     `json:"pli"` // key frame requests sent
	NACK      int     `json:"nack"`
	Codec     string  `json:"codec"`
	Width     int     `json:"width"`
	Height    int     `json:"height"`

	VideoPackets int     `json:"video_packets"`
	VideoLost    int     `json:"video_lost"`
	VoicePackets int     `json:"voice_packets"`
	VoiceLost    int     `json:"voice_lost"`
	ConcealedMS  float64 `json:"concealed_ms"`  // of sound made up because it did not come, silence apart
	Energy       float64 `json:"energy"`        // totalAudioEnergy: square of the level, in seconds of full scale
	VoiceSeconds float64 `json:"voice_seconds"` // of sound played
	Level        float64 `json:"level"`         // of sound, now, 0 to 1
}

// Minus is what came since an earlier look at the same page. Seconds, Shown and the Freeze…MS stay as they are.
func (s Seen) Minus(before Seen) Seen {
	s.Decoded -= before.Decoded
	s.KeyFrames -= before.KeyFrames
	s.Dropped -= before.Dropped
	s.Freezes -= before.Freezes
	s.FreezesMS -= before.FreezesMS
	s.PLI -= before.PLI
	s.NACK -= before.NACK
	s.VideoPackets -= before.VideoPackets
	s.VideoLost -= before.VideoLost
	s.VoicePackets -= before.VoicePackets
	s.VoiceLost -= before.VoiceLost
	s.ConcealedMS -= before.ConcealedMS
	s.Energy -= before.Energy
	s.VoiceSeconds -= before.VoiceSeconds
	return s
}

// Mark starts the counting of frames and freezes anew.
func (b *Browser) Mark() error {
	_, err := Eval[chromedp.Void](b, "scansideLab.mark()")
	return err
}

// Struck says that the first blow falls now. What comes after the first Struck since Mark changes nothing.
func (b *Browser) Struck() error {
	_, err := Eval[chromedp.Void](b, "scansideLab.struck()")
	return err
}

// Watch looks at the counts.
func (b *Browser) Watch() (Seen, error) { return Eval[Seen](b, "scansideLab.watch()") }

// Picture is the brightness of what the video element shows, 0 to 255. An even picture, such as black, has no spread.
type Picture struct {
	Mean   float64 `json:"mean"`
	Spread float64 `json:"spread"` // standard deviation
}

// Picture looks at the picture.
func (b *Browser) Picture() (Picture, error) { return Eval[Picture](b, "scansideLab.picture()") }

// shotQuality is a WebP file's: text is clear, and a window takes 30 to 60 kB.
const shotQuality = 82

// Screenshot writes what the window shows into a file, PNG or, by its name, WebP, and makes its folder.
func (b *Browser) Screenshot(file string) error {
	ctx, cancel := context.WithTimeout(b.ctx, answerWithin)
	defer cancel()
	want := page.CaptureScreenshotParams{}
	if filepath.Ext(file) == ".webp" {
		quality := int64(shotQuality)
		want.Format, want.Quality = page.CaptureScreenshotFormatWebp, &quality
	}
	taken, err := chromedp.Call(ctx, page.CaptureScreenshot, want)
	if err == nil {
		err = errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, taken.Data, 0o644))
	}
	if err != nil {
		return fmt.Errorf("taking a screenshot: %w", err)
	}
	return nil
}

// Dark makes pages look as by night, where they can.
func (b *Browser) Dark() error {
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
	return err
}
