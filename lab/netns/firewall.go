package netns

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"scanside/agent/status"
	"scanside/lab/emu/tun"
	"scanside/lab/observe"
	"scanside/lab/scenario"
)

// Wall is one hospital's firewall, and what a box behind it is given.
type Wall struct {
	Name   string
	Story  string
	Rules  []string // of the site's router, for what comes from the room
	Shared bool     // the gateway takes media over TCP on its HTTPS port; else on 3478
	Relay  string   // URL of the relay in the agent's configuration; "": none
	Named  string   // the same in the gateway's
	Proxy  bool     // the agent goes through the site's proxy
	Path   string   // the way that media must then go
}

const (
	onlyHTTPS  = "tcp dport 443 accept"
	gatewayTLS = "ip daddr " + farAddress + " tcp dport 443 accept"
	relayTLS   = "turns:" + relayAddress + ":443"
)

// Walls are the firewalls that are tried.
func Walls() []Wall {
	return []Wall{
		{Name: "open", Story: "nothing is blocked", Rules: []string{"accept"}, Path: "udp"},
		{Name: "no-udp", Story: "UDP is blocked", Rules: []string{"meta l4proto udp drop", "accept"}, Path: "tcp"},
		{Name: "only-443", Story: "only TCP 443 gets out; the gateway takes media there too", Rules: []string{onlyHTTPS, "drop"}, Shared: true, Path: "tcp"},
		{Name: "relay-udp", Story: "HTTPS to the gateway and UDP to the relay get out", Relay: "turn:" + relayAddress + ":3478",
			Rules: []string{gatewayTLS, "ip daddr " + relayAddress + " udp dport 3478 accept", "drop"}, Path: "relay-udp"},
		{Name: "relay-tcp", Story: "HTTPS to the gateway and TCP to the relay get out", Relay: "turn:" + relayAddress + ":3478?transport=tcp",
			Rules: []string{gatewayTLS, "ip daddr " + relayAddress + " tcp dport 3478 accept", "drop"}, Path: "relay-tcp"},
		{Name: "relay-tls", Story: "only TCP 443 gets out; media by TLS to the relay", Rules: []string{onlyHTTPS, "drop"}, Relay: relayTLS, Path: "relay-tls"},
		{Name: "named", Story: "the same; the gateway names the relay", Rules: []string{onlyHTTPS, "drop"}, Named: relayTLS, Path: "relay-tls"},
		{Name: "proxy", Story: "nothing gets out but through the proxy; the gateway takes media on 443", Rules: []string{"drop"}, Shared: true, Proxy: true, Path: "tcp"},
		{Name: "proxy-relay", Story: "nothing gets out but through the proxy; media by TLS to the relay", Rules: []string{"drop"}, Relay: relayTLS, Proxy: true, Path: "relay-tls"},
	}
}

// Breach is what came of one wall. Times are to the first packet of voice at the far end, over the walled uplink alone.
type Breach struct {
	Wall   string       `json:"wall"`
	Path   string       `json:"path"`
	Words  string       `json:"words"`       // as the status page has it
	First  float64      `json:"first_ms"`    // from the agent's start
	Again  float64      `json:"again_ms"`    // from the answer of a gateway that was started again: what worked is known now
	Lost   uint64       `json:"voice_lost"`  // by the cut of the walled uplink, at the console
	Return uint64       `json:"return_lost"` // the same at the room's screen
	Heard  scenario.Way `json:"heard"`
}

// MeasureWall builds a place with the wall and the real programs, coturn and tinyproxy, and tries it.
func MeasureWall(ctx context.Context, cfg Config, wall Wall) (b Breach, err error) {
	if os.Geteuid() != 0 {
		return b, errors.New("network namespaces and TUN devices need root; run the lab with sudo")
	}
	sweep()
	l := &siege{World: &World{cfg: cfg, uplinks: uplinksOf()}, wall: wall}
	defer l.Close()
	if err := l.build(); err != nil {
		return b, err
	}
	b.Wall = wall.Name
	if b.First, b.Again, err = l.alone(ctx); err != nil {
		return b, err
	}
	err = l.together(ctx, &b)
	return b, err
}

// alone runs the agent with the walled uplink only, and starts the gateway again under it.
func (l *siege) alone(ctx context.Context) (first, again float64, err error) {
	far := inside(l.place.far)
	defer far.CloseIdleConnections()
	voice := func() error { return voiceAt(ctx, far) }
	up := func() error { return answers(ctx, far) }
	if err := until(ctx, starting, time.Millisecond, "the gateway answers", l.programs(), up); err != nil {
		return 0, 0, err
	}
	if err := l.runAgent(1); err != nil {
		return 0, 0, err
	}
	defer l.agent.stop()
	if err := until(ctx, starting, time.Millisecond, "voice at the far end", l.programs(), voice); err != nil {
		return 0, 0, err
	}
	first = float64(time.Since(l.started).Microseconds()) / 1000
	if err := sleep(ctx, settled); err != nil {
		return 0, 0, err
	}
	l.gateway.stop()
	if err := l.startGateway(); err != nil {
		return 0, 0, err
	}
	if err := until(ctx, starting, time.Millisecond, "the gateway answers again", l.programs(), up); err != nil {
		return 0, 0, err
	}
	answered := time.Now()
	err = until(ctx, starting, time.Millisecond, "voice at the far end again", l.programs(), voice)
	return first, float64(time.Since(answered).Microseconds()) / 1000, err
}

// together runs it with both uplinks, looks how the walled one goes, and cuts it.
func (l *siege) together(ctx context.Context, b *Breach) error {
	if err := l.runAgent(2); err != nil {
		return err
	}
	codes := make([]string, 2)
	for i := range codes {
		var err error
		if codes[i], err = l.files.code(); err != nil {
			return err
		}
	}
	cfg, err := json.Marshal(FarConfig{Gateway: walledURL, Site: site, Roots: l.files.roots, Codes: codes})
	if err != nil {
		return err
	}
	p := &people{World: l.World}
	if p.far, err = l.helper(l.place.far, "far", measured, "far", string(cfg)); err != nil {
		return err
	}
	if p.room, err = l.helper(l.place.room, "room", measured, "room", pageURL); err != nil {
		return err
	}
	for _, step := range []struct {
		h    *helper
		line string
	}{{p.room, "up " + l.names()}, {p.far, "ready"}, {p.room, "play"}, {p.room, "ready"}} {
		if err := until(ctx, proving, soon, step.h.name+": "+step.line, l.programs(p.far, p.room), func() error { return step.h.ask(step.line, nil) }); err != nil {
			return err
		}
	}
	room := inside(l.place.room)
	defer room.CloseIdleConnections()
	st, err := observe.Box{URL: pageURL, Client: room}.Status(ctx)
	if err != nil {
		return err
	}
	walled := st.Uplinks[0]
	b.Path, b.Words = walled.Path, walled.PathWords
	if err := l.judge(walled); err != nil {
		return err
	}
	return l.cut(ctx, p, b)
}

// judge says whether the walled uplink goes the way it must, carries everything and brings everything.
func (l *siege) judge(u status.Uplink) error {
	both := []string{"voice", "video"}
	switch {
	case u.Path != l.wall.Path || l.wall.Proxy != (u.Proxy != "") || strings.HasPrefix(u.Path, "relay") != (u.Relay != ""):
		return fmt.Errorf("%s: the path is %q, relay %q, proxy %q; it must be %s", l.wall.Name, u.Path, u.Relay, u.Proxy, l.wall.Path)
	case !slices.Equal(u.Carries, both) || !slices.Equal(u.Brings, both):
		return fmt.Errorf("%s: the walled uplink carries %v and brings %v; both must be voice and video", l.wall.Name, u.Carries, u.Brings)
	}
	return nil
}

// cut turns the line behind the wall into a black hole for some seconds, and counts.
func (l *siege) cut(ctx context.Context, p *people, b *Breach) error {
	const before, dead = time.Second, 4 * time.Second
	if err := p.tellAll("mark"); err != nil {
		return err
	}
	if err := sleep(ctx, before); err != nil {
		return err
	}
	if err := l.emulator.ask("do cut "+l.uplinks[0].Name, nil); err != nil {
		return err
	}
	if err := sleep(ctx, dead); err != nil {
		return err
	}
	if err := p.tellAll("end"); err != nil {
		return err
	}
	if err := sleep(ctx, drain); err != nil {
		return err
	}
	var back scenario.Way
	if err := errors.Join(p.far.ask("way", &b.Heard), p.room.ask("way", &back)); err != nil {
		return err
	}
	b.Lost, b.Return = b.Heard.Voice.Lost, back.Voice.Lost
	if least := uint64(40 * (before + dead).Seconds()); b.Heard.Voice.Sent < least || back.Voice.Sent < least {
		return fmt.Errorf("%s: %d and %d packets of voice in %v; too few to say anything", l.wall.Name, b.Heard.Voice.Sent, back.Voice.Sent, before+dead)
	}
	if b.Lost != 0 || b.Return != 0 {
		return fmt.Errorf("%s: the cut lost %d packets of voice to the far end and %d from it; the other uplink had them all", l.wall.Name, b.Lost, b.Return)
	}
	return nil
}

// inside is an HTTP client whose connections are made in a namespace.
func inside(namespace string) *http.Client {
	dial := func(ctx context.Context, network, addr string) (c net.Conn, err error) {
		err = tun.Within(namespace, func() (err error) { c, err = (&net.Dialer{}).DialContext(ctx, network, addr); return err })
		return c, err
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial}, Timeout: starting}
}

func answers(ctx context.Context, far *http.Client) error {
	_, err := counted(ctx, far)
	return err
}

// voiceAt is an error until the gateway has counted a packet of the room's voice.
func voiceAt(ctx context.Context, far *http.Client) error {
	n, err := counted(ctx, far)
	if err == nil && n == 0 {
		err = errors.New("none yet")
	}
	return err
}

// counted is how much of the room's voice a running gateway has, by its metrics.
func counted(ctx context.Context, far *http.Client) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, metricsURL, nil)
	if err != nil {
		return 0, err
	}
	res, err := far.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		rest, ok := strings.CutPrefix(lines.Text(), "scanside_gateway_merged_packets_total{")
		if labels, value, _ := strings.Cut(rest, "} "); ok && strings.Contains(labels, `"from_room"`) && strings.Contains(labels, `"voice"`) {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, errors.New("the gateway's metrics say nothing of voice")
}
