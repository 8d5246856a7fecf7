package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"scanside/lab/browser"
)

// shotsCommand takes the documentation's screenshots from the demo: what they show is what the program shows.
type shotsCommand struct {
	To    string `default:"docs/screenshots" placeholder:"FOLDER" help:"Where they go."`
	Agent string `default:"build/scanside" env:"SCANSIDE_AGENT" placeholder:"FILE" help:"The agent's program."`
}

// living is true of a page that hears from the box, with a picture that is new if there is one.
const living = `!document.documentElement.hasAttribute("data-stale") && !document.getElementById("preview")?.classList.contains("old")`

// shooting is one run.
type shooting struct {
	folder string
	demo   *demo
}

func (c *shotsCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	var windows []*browser.Browser // before the demo: encoding pictures, a small machine is slow to start a browser
	for _, cfg := range []browser.Config{{Devices: true}, {Width: 390, Height: 844, Phone: true}, {Width: 1280, Height: 860}} {
		b, err := browser.Start(ctx, cfg)
		if err != nil {
			return err
		}
		defer b.Close()
		windows = append(windows, b)
	}
	d, err := startDemo(ctx, c.Agent, nil)
	if err != nil {
		return err
	}
	defer d.Close()
	s := &shooting{c.To, d}
	physician, phone, desk := windows[0], windows[1], windows[2]
	if err := s.call(physician); err != nil {
		return err
	}
	if err := s.desk(desk); err != nil {
		return err
	}
	return s.phone(ctx, phone, physician)
}

// call has the physician look at the room and talk to it.
func (s *shooting) call(console *browser.Browser) error {
	c := &call{demo: s.demo, tab: console}
	return c.begin()
}

// phone is the technician's way through the page, and a cut.
func (s *shooting) phone(ctx context.Context, b, console *browser.Browser) error {
	if err := b.Open(s.demo.Box.URL + "/"); err != nil {
		return err
	}
	p := &call{demo: s.demo, tab: b}
	if err := p.until("a connected physician on the page", `document.querySelector("#verdict.ok") !== null`); err != nil {
		return err
	}
	if err := b.Screenshot(s.file("status-phone")); err != nil {
		return err
	}
	if err := b.Click("#preview-go"); err != nil {
		return err
	}
	if err := p.until("the picture", `!document.getElementById("preview-stamp").hidden && document.getElementById("preview-veil").hidden`); err != nil {
		return err
	}
	if err := s.at(b, "#picture", "status-phone-picture"); err != nil {
		return err
	}
	if err := b.Click("#preview-go"); err != nil {
		return err
	}
	if err := s.demo.impair(ctx, "primary/cut"); err != nil {
		return err
	}
	if err := p.until("the story of the cut", `document.querySelector("#switches .latest p")?.textContent.includes("at the far end")`); err != nil {
		return err
	}
	if err := s.at(b, "#switches", "status-phone-cut"); err != nil {
		return err
	}
	if err := console.Screenshot(s.file("console-cut")); err != nil {
		return err
	}
	return s.demo.impair(ctx, "primary/restore")
}

// desk is the page on a desk by night, what a support bundle holds, and the room's screen.
func (s *shooting) desk(b *browser.Browser) error {
	if err := b.Dark(); err != nil {
		return err
	}
	for _, shot := range []struct{ path, ready, name string }{
		{"/", `document.querySelector("#uplink-primary") !== null`, "status-desk-dark"},
		{"/support", `document.getElementById("fetch") !== null`, "support"},
		{"/room", `document.getElementById("picture").videoWidth > 0 && document.getElementById("veil").hidden`, "room"},
	} {
		if err := b.Open(s.demo.Box.URL + shot.path); err != nil {
			return err
		}
		p := &call{demo: s.demo, tab: b}
		if err := p.until(shot.name, shot.ready); err != nil {
			return err
		}
		if err := p.until("a page that hears from the box", living); err != nil {
			return err
		}
		if err := b.Screenshot(s.file(shot.name)); err != nil {
			return err
		}
	}
	return nil
}

func (s *shooting) file(name string) string { return filepath.Join(s.folder, name+".webp") }

// at scrolls to a part of the page and takes it.
func (s *shooting) at(b *browser.Browser, selector, name string) error {
	if _, err := browser.Eval[bool](b, fmt.Sprintf("document.querySelector(%q).scrollIntoView(), true", selector)); err != nil {
		return err
	}
	p := &call{demo: s.demo, tab: b}
	if err := p.until("a page that hears from the box", living); err != nil {
		return err
	}
	return b.Screenshot(s.file(name))
}
