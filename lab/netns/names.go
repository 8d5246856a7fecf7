package netns

import (
	"fmt"
	"io"
	"net"
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"
)

// farName is the far end's name where a world has a name server; it has an address of each family.
const farName = "far.lab"

// Names is the helper that answers DNS at each of some addresses: farName is at all of them, nothing else exists.
func Names(addresses []string, in io.Reader, out io.Writer) error {
	var all []netip.Addr
	for _, text := range addresses {
		ip, err := netip.ParseAddr(text)
		if err != nil {
			return err
		}
		all = append(all, ip)
	}
	for _, ip := range all { // one socket each, so that the answer comes from the address that was asked
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 53)))
		if err != nil {
			return err
		}
		defer c.Close()
		go func() {
			buf := make([]byte, 1500)
			for {
				n, from, err := c.ReadFromUDPAddrPort(buf)
				if err != nil {
					return
				}
				if answer, err := resolve(buf[:n], all); err == nil {
					_, _ = c.WriteToUDPAddrPort(answer, from)
				}
			}
		}()
	}
	return Serve(in, out, func(words []string) (any, error) {
		if len(words) == 1 && words[0] == "ready" {
			return nil, nil
		}
		return nil, fmt.Errorf("%q is not a question", words)
	})
}

func resolve(query []byte, all []netip.Addr) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return nil, err
	}
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	for _, q := range m.Questions {
		if q.Name.String() != farName+"." {
			m.RCode = dnsmessage.RCodeNameError
			continue
		}
		head := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1}
		for _, ip := range all {
			switch {
			case ip.Is4() && q.Type == dnsmessage.TypeA:
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: ip.As4()}})
			case ip.Is6() && q.Type == dnsmessage.TypeAAAA:
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: ip.As16()}})
			}
		}
	}
	return m.Pack()
}
