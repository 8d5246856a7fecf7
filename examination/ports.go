package examination

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"scanside/diagnosis"
	"scanside/link"
)

// askAgain are the pauses before each question: of three, one gets through and back in most cases at 30 % loss, and an answer
// takes a second on a slow uplink.
var askAgain = []time.Duration{0, 300 * time.Millisecond, 800 * time.Millisecond}

// guessPort tries UDP where the far end serves HTTPS, as it does by default, when it has not named its media port yet. An
// answer is an answer; silence says nothing.
func (e *examination) guessPort(ctx context.Context, far *url.URL) {
	if len(e.cfg.Ports) > 0 {
		return
	}
	if e.found.Layers[diagnosis.Web].Result != diagnosis.OK {
		e.askPorts(ctx, nil)
		return
	}
	port, err := strconv.ParseUint(far.Port(), 10, 16)
	if err != nil {
		port = 443
	}
	var guess []netip.AddrPort
	for _, ip := range e.addresses() {
		guess = append(guess, netip.AddrPortFrom(ip, uint16(port)))
	}
	if e.askPorts(ctx, guess); e.found.Layers[diagnosis.Datagrams].Result != diagnosis.OK {
		e.found.Layers[diagnosis.Datagrams].Subject = ""
		e.unseen(diagnosis.Datagrams, "the far end has not named its media port yet")
	}
}

// askPorts asks the far end's media ports over UDP. One that answers is enough.
func (e *examination) askPorts(ctx context.Context, ports []netip.AddrPort) {
	if len(ports) == 0 {
		e.unseen(diagnosis.Datagrams, "the far end has not named its media port yet")
		return
	}
	ports = ports[:min(len(ports), mostTried)]
	e.found.Layers[diagnosis.Datagrams].Subject = ports[0].String()
	ctx, cancel := context.WithTimeout(ctx, udpTime)
	defer cancel()
	c, err := e.cfg.Net.ListenUDP("udp", nil)
	if err != nil {
		e.unseen(diagnosis.Datagrams, err.Error())
		return
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	question, id, err := link.BindingQuestion()
	if err != nil {
		e.unseen(diagnosis.Datagrams, err.Error())
		return
	}
	var sending sync.WaitGroup
	defer func() { cancel(); sending.Wait() }()
	sending.Go(func() {
		for _, wait := range askAgain {
			if !pause(ctx, wait) {
				return
			}
			for _, p := range ports {
				_, _ = c.WriteTo(question, net.UDPAddrFromAddrPort(p)) // no way to one of them is no way to that one
			}
		}
	})
	buf := make([]byte, 1500)
	for {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			e.failed(diagnosis.Datagrams, diagnosis.Silent, "no answer")
			return
		}
		u, ok := from.(*net.UDPAddr)
		if !ok || !slices.Contains(ports, plain(u.AddrPort())) {
			continue
		}
		if us, ok := link.BindingAnswer(buf[:n], id); ok {
			e.found.Layers[diagnosis.Datagrams].Subject = plain(u.AddrPort()).String()
			e.ok(diagnosis.Datagrams, "it sees us as "+us.String())
			return
		}
	}
}

func plain(ap netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()) }

// pause waits; false: ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
