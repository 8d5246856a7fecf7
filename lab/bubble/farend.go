package bubble

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"scanside/gateway"
	"scanside/lab/observe"
	"scanside/link"
)

const mediaPort = ":3478"

// FarEnd is one gateway on a machine of its own. All know the site's token and the physician.
type FarEnd struct {
	Gateway *gateway.Gateway

	w    *World
	ip   string
	http string
	host *host
	stop func() // nil: it does not run
}

func (w *World) addFarEnd(i int) (err error) {
	f := &FarEnd{w: w, ip: fmt.Sprintf("10.0.0.%d", 100+i), http: fmt.Sprintf("localhost:%d", 8080+i)}
	f.host, err = w.internet.host(f.ip)
	w.Fars = append(w.Fars, f)
	return err
}

func (f *FarEnd) url() string { return "http://" + f.http }

// Start starts the gateway; one that runs is stopped first, and everything it knew is gone.
func (f *FarEnd) Start() error {
	f.Stop()
	log := f.w.log.With("program", "gateway", "at", f.ip)
	socket, err := f.host.ListenPacket("udp4", f.ip+mediaPort)
	if err != nil {
		return err
	}
	api, err := link.NewAPI(link.APIConfig{UDP: socket, Net: f.host, Log: log})
	if err != nil {
		return err
	}
	f.Gateway, err = gateway.New(gateway.Config{
		Media: api,
		Hosts: []string{"localhost"},
		Sites: []gateway.Site{{ID: site, Name: "Room 1", TokenHash: f.w.tokenHash}},
		Users: []gateway.User{{Name: physician, DisplayName: "Dr Lab", Role: gateway.Supervisor}},
	}, log)
	if err != nil {
		return errors.Join(err, api.Close())
	}
	end := run(f.Gateway.Run)
	hangUp := f.w.internet.serve(f.http, f.Gateway.Handler())
	f.stop = sync.OnceFunc(func() {
		hangUp()
		end()
		_ = api.Close()
	})
	return nil
}

// Stop ends the gateway as a service manager does: its sessions are told, and nobody listens any more. Stopping twice is
// fine.
func (f *FarEnd) Stop() {
	if f.stop != nil {
		f.stop()
		f.stop = nil
	}
}

// Vanish takes the machine off the network, as if its power had failed: nothing it sends arrives, nothing it is sent is
// answered, and what it knew is gone.
func (f *FarEnd) Vanish() {
	f.w.internet.vanish(f.ip, f.http, true)
	f.Stop()
}

// Return puts a machine that vanished back, with its gateway started.
func (f *FarEnd) Return() error {
	f.w.internet.vanish(f.ip, f.http, false)
	return f.Start()
}

// signIn makes a client a physician's console.
func (f *FarEnd) signIn(ctx context.Context, c *http.Client) error {
	code, err := f.Gateway.SignInCode(physician)
	if err != nil {
		return err
	}
	return observe.SignIn(ctx, c, f.url(), code)
}

// Viewer is a console that looks at the room, signed in.
func (f *FarEnd) Viewer(ctx context.Context) (*observe.Viewer, error) {
	return f.look(ctx, observe.Play)
}

// look signs in and plays the room.
func (f *FarEnd) look(ctx context.Context, play func(context.Context, observe.Config) (*observe.Viewer, error)) (*observe.Viewer, error) {
	c := f.w.browser(f.w.viewer)
	if err := f.signIn(ctx, c); err != nil {
		return nil, err
	}
	return play(ctx, observe.Config{URL: f.url() + "/rooms/" + site + "/whep", Client: c, Net: f.w.viewer})
}

// Physician is a console that talks into the room, signed in.
func (f *FarEnd) Physician(ctx context.Context) (*observe.Physician, error) {
	c := f.w.browser(f.w.doc)
	if err := f.signIn(ctx, c); err != nil {
		return nil, err
	}
	return observe.Talk(ctx, observe.Config{URL: f.url() + "/rooms/" + site + "/whip", Client: c, Net: f.w.doc})
}
