package netns

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"scanside/lab/browser"
)

// Browser is the helper that is a physician's real Chromium on the console's page. It answers:
//
//	open LINK SITE   signs in by the one-time link and shows the room; the link comes this way because arguments can be read
//	                 in the process list
//	ready            an error until the room's picture moves
//	mark, end        a measurement begins, ends
//	struck           the first blow falls now
//	watched          what was measured, a [browser.Seen]
func Browser(ctx context.Context, in io.Reader, out io.Writer) error {
	b, err := browser.Start(ctx, browser.Config{Devices: true, Width: 1280, Height: 900})
	if err != nil {
		return err
	}
	defer b.Close()
	c := &chromium{Browser: b, ctx: ctx}
	return Serve(in, out, c.answer)
}

// chromium is a browser and what one measurement with it showed.
type chromium struct {
	*browser.Browser
	ctx    context.Context
	before browser.Seen
	seen   *browser.Seen // nil: nothing was measured yet
}

// moving is how many pictures show that the room's picture moves: a second of them.
const moving = 30

func (c *chromium) answer(words []string) (any, error) {
	switch {
	case len(words) == 3 && words[0] == "open":
		return nil, c.open(words[1], words[2])
	case len(words) != 1:
		return nil, errors.New("that is not a question")
	}
	switch words[0] {
	case "ready":
		seen, err := c.Watch()
		if err == nil && seen.Shown < moving {
			err = fmt.Errorf("only %d pictures yet", seen.Shown)
		}
		return nil, err
	case "mark":
		var err error
		if c.before, err = c.Watch(); err != nil {
			return nil, err
		}
		return nil, c.Mark()
	case "struck":
		return nil, c.Struck()
	case "end":
		seen, err := c.Watch()
		if err != nil {
			return nil, err
		}
		seen = seen.Minus(c.before)
		c.seen = &seen
		return nil, nil
	case "watched":
		if c.seen == nil {
			return nil, errors.New("nothing was measured; mark and end come first")
		}
		return c.seen, nil
	}
	return nil, fmt.Errorf("%q is not a question", words)
}

// open does what a person does: follow the link, which signs in by itself, and choose the room, unless there is just one and
// the console opens it by itself.
func (c *chromium) open(link, site string) error {
	if err := c.Open(link); err != nil {
		return err
	}
	choose := fmt.Sprintf(`(() => {
		if (document.querySelector("video")) return true;
		document.querySelector('a[href$="/room/%s"]')?.click();
		return false;
	})()`, site)
	for deadline := time.Now().Add(starting); ; {
		shown, err := browser.Eval[bool](c.Browser, choose)
		if err == nil && shown {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("the console did not show room %s within %v", site, starting), err)
		}
		if err := sleep(c.ctx, soon); err != nil {
			return err
		}
	}
}
