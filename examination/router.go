package examination

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"scanside/diagnosis"
)

const (
	// renewed is how new a neighbour's confirmation must be to be believed. Linux keeps an entry REACHABLE for up to 45 s
	// without asking again (base_reachable_time, arp(7)).
	renewed   = 3 * time.Second
	lookEvery = 100 * time.Millisecond
	ticks     = 100 // USER_HZ: what the kernel counts neighbours' ages in
	discard   = 9   // a port that refuses (RFC 863): the refusal is the answer
	webPort   = 80  // most routers have a page of their own, and the others refuse
)

// askRouter asks the next hop for any sign of life: a refusal, an open port, or an answer to ARP or neighbour discovery.
func (e *examination) askRouter(ctx context.Context) {
	if !e.router.IsValid() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, routerTime)
	defer cancel()
	answered := make(chan error, 2)
	go func() { answered <- e.refusesDatagram(ctx) }()
	go func() { answered <- e.refusesStream(ctx) }()
	open := 2
	defer func() {
		cancel()
		for ; open > 0; open-- {
			<-answered
		}
	}()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case err := <-answered:
			open--
			if isAnswer(err) {
				e.ok(diagnosis.Router, "it answers")
				return
			}
			if open == 0 {
				e.neighbour(true)
				return
			}
		case <-look.C:
			if e.neighbour(false) {
				return
			}
		}
	}
}

// isAnswer reports whether the outcome of a connection is the other side's word.
func isAnswer(err error) bool {
	return err == nil || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET)
}

var errNoAnswer = errors.New("no answer")

// refusesDatagram sends one datagram to a port that nobody serves. It returns when ctx ends at the latest.
func (e *examination) refusesDatagram(ctx context.Context) error {
	c, err := e.direct.DialContext(ctx, "udp", netip.AddrPortFrom(e.router, discard).String())
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := c.Write(make([]byte, 32)); err != nil { // smaller ones are dropped here and there
		return err
	}
	if _, err := c.Read(make([]byte, 64)); errors.Is(err, os.ErrDeadlineExceeded) {
		return errNoAnswer
	} else {
		return err
	}
}

func (e *examination) refusesStream(ctx context.Context) error {
	c, err := e.direct.DialContext(ctx, "tcp", netip.AddrPortFrom(e.router, webPort).String())
	if err == nil {
		c.Close()
	}
	return err
}

// neighbour looks at what the kernel knows of the router's link address. True: that settles it. When last, what is not
// settled is unknown.
func (e *examination) neighbour(last bool) bool {
	state, confirmed, known := neighbourOf(e.cfg.Interface, e.router)
	switch {
	case known && state&unix.NUD_FAILED != 0, known && last && state&unix.NUD_INCOMPLETE != 0:
		e.failed(diagnosis.Router, diagnosis.Silent, "it does not answer")
	case known && state&unix.NUD_REACHABLE != 0 && confirmed < renewed:
		e.ok(diagnosis.Router, "it is there")
	case last:
		e.unseen(diagnosis.Router, "it says nothing itself")
	default:
		return false
	}
	return true
}

func neighbourOf(iface string, router netip.Addr) (state int, confirmed time.Duration, known bool) {
	dev, err := netlink.LinkByName(iface)
	if err != nil {
		return 0, 0, false
	}
	family := netlink.FAMILY_V4
	if router.Is6() {
		family = netlink.FAMILY_V6
	}
	all, err := netlink.NeighList(dev.Attrs().Index, family)
	if err != nil {
		return 0, 0, false
	}
	for _, n := range all {
		if ip, _ := netip.AddrFromSlice(n.IP); ip.Unmap() == router.WithZone("") {
			return n.State, time.Duration(n.Confirmed) * time.Second / ticks, true
		}
	}
	return 0, 0, false
}
