package examination_test

import (
	"strings"
	"testing"
	"time"

	"scanside/diagnosis"
)

// Each fault is made for real, looked at from the room, and must get its own sentence.
func TestWhereTheFaultIs(t *testing.T) {
	p := newPlace(t)
	stop := p.gateway()
	primary := order{Uplink: "primary", Interface: "eth0", Known: true}
	cellular := order{Uplink: "cellular", Interface: "wwan0", Known: true}
	portal := func() func() {
		gone := p.pages("a", pages{Addr: "192.0.2.1:8080", Location: "http://login.hotel.example/welcome"})
		return func() { gone(); p.nft("a", "") }
	}
	blocked := func(ns, rules string) func() func() {
		return func() func() { p.nft(ns, rules); return func() { p.nft(ns, "") } }
	}
	forward := func(rules string) func() func() {
		return blocked("a", "chain f { type filter hook forward priority 0; "+rules+" }")
	}
	ahead := func(cert, by time.Duration) func() func() {
		return func() func() {
			stop()
			crt, key := p.sign(farName, time.Now().Add(cert), time.Now().Add(cert+90*24*time.Hour))
			gone := p.pages("far", pages{Addr: farHost + ":8443", Cert: crt, Key: key, Skew: by})
			return func() { gone(); stop = p.gateway() }
		}
	}
	alone := func(o order) []order { return []order{o} }
	both := []order{primary, cellular}
	unknown := order{Uplink: "primary", Interface: "eth0"}
	wrong := primary
	wrong.Token = strings.Repeat("x", 43)

	for _, c := range []struct {
		name string
		make func() (undo func())
		look []order
		want diagnosis.Cause
		says string
	}{
		{"all is well", nil, both, diagnosis.Clear, "The far end answers"},
		{"adapter unplugged", nil, alone(order{Uplink: "primary", Interface: "eth9"}), diagnosis.NoDevice, "eth9 is not there"},
		{"cable pulled", func() func() { p.ip("a", "link set lan down"); return func() { p.ip("a", "link set lan up") } }, both, diagnosis.NoCarrier, "the cable is out"},
		{"no address", func() func() {
			p.ip("room", "addr flush dev eth0")
			return func() {
				p.ip("room", "addr add 192.0.2.7/24 dev eth0")
				p.ip("room", "route add default via 192.0.2.1 metric 100")
			}
		}, both, diagnosis.NoAddress, "no DHCP server answered"},
		{"made its address up", func() func() {
			p.ip("room", "addr flush dev eth0")
			p.ip("room", "addr add 169.254.7.7/16 dev eth0")
			return func() {
				p.ip("room", "addr flush dev eth0")
				p.ip("room", "addr add 192.0.2.7/24 dev eth0")
				p.ip("room", "route add default via 192.0.2.1 metric 100")
			}
		}, both, diagnosis.NoAddress, "169.254.7.7, which it made up itself"},
		{"no route", func() func() {
			p.ip("room", "route del default via 192.0.2.1")
			return func() { p.ip("room", "route add default via 192.0.2.1 metric 100") }
		}, both, diagnosis.SiteNetwork, "no route leads out"},
		{"router gone", func() func() {
			p.ip("a", "addr del 192.0.2.1/24 dev lan")
			p.ip("room", "neigh flush dev eth0")
			return func() { p.ip("a", "addr add 192.0.2.1/24 dev lan"); p.ip("room", "neigh flush dev eth0") }
		}, both, diagnosis.SiteNetwork, "its router 192.0.2.1 does not answer"},
		{"line down, the router says so", func() func() {
			p.ip("a", "link set wan down")
			return func() { p.ip("a", "link set wan up"); p.ip("a", "route add default via 10.0.1.1") }
		}, both, diagnosis.ProviderLine, "The router 192.0.2.1 answers, nothing beyond it does: the provider's line is down."},
		{"line down in silence", forward("drop;"), both, diagnosis.ProviderLine, "nothing beyond it does"},
		{"line down, far end's address never known", forward("drop;"), alone(unknown), diagnosis.PathDead, "address is not known"},
		{"a router that answers nothing, line down", func() func() {
			p.nft("a", "chain f { type filter hook forward priority 0; drop; } chain i { type filter hook input priority 0; drop; }")
			p.ip("room", "neigh flush dev eth0")
			return func() { p.nft("a", "") }
		}, both, diagnosis.ProviderLine, "nothing beyond it does"},
		{"name servers out of reach", forward("udp dport 53 drop; tcp dport 53 drop;"), both, diagnosis.DNSBroken, "no name server answers"},
		{"portal in place of all", func() func() {
			undo := portal()
			p.nft("a", "chain n { type nat hook prerouting priority -100; iifname lan tcp dport { 80, 8443 } dnat to 192.0.2.1:8080; } chain f { type filter hook forward priority 0; udp dport 8443 drop; }")
			return undo
		}, both, diagnosis.CaptivePortal, "it sends us to login.hotel.example"},
		{"portal on plain HTTP only", func() func() {
			undo := portal()
			p.nft("a", "chain n { type nat hook prerouting priority -100; iifname lan tcp dport 80 dnat to 192.0.2.1:8080; } chain f { type filter hook forward priority 0; meta l4proto { tcp, udp } th dport 8443 drop; }")
			return undo
		}, both, diagnosis.CaptivePortal, "captive portal"},
		{"TLS intercepted", func() func() {
			own := *(&place{t: t, dir: t.TempDir()})
			own.authority()
			crt, key := own.sign(farName, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
			gone := p.pages("a", pages{Addr: "192.0.2.1:8443", Cert: crt, Key: key})
			p.nft("a", "chain n { type nat hook prerouting priority -100; iifname lan tcp dport 8443 dnat to 192.0.2.1:8443; }")
			return func() { gone(); p.nft("a", "") }
		}, both, diagnosis.TLSIntercepted, "intercepts TLS"},
		{"firewall drops HTTPS", forward("tcp dport 8443 drop; udp dport 8443 drop;"), both, diagnosis.FirewallBlocks, "blocks the way to it"},
		{"firewall refuses HTTPS", forward("tcp dport 8443 reject with tcp reset; udp dport 8443 drop;"), both, diagnosis.FirewallBlocks, "refuses the connection"},
		{"firewall blocks UDP", forward("udp dport 8443 drop;"), both, diagnosis.UDPBlocked, "UDP does not get through, while it does over cellular"},
		{"far end's service down", func() func() { stop(); return func() { stop = p.gateway() } }, both, diagnosis.FarEndDown, "refuses the connection, and does not answer over cellular either"},
		{"far end's machine gone", blocked("far", "chain i { type filter hook input priority 0; ip daddr "+farHost+" drop; }"), both, diagnosis.FarEndDown, "answers over neither"},
		{"far end's machine gone, one uplink to see it by", blocked("far", "chain i { type filter hook input priority 0; ip daddr "+farHost+" drop; }"), alone(primary), diagnosis.FarEndSilent, "is down, or a firewall"},
		{"token refused", nil, alone(wrong), diagnosis.FarEndRefuses, "refuses this site's token"},
		{"clock a year behind", ahead(200*24*time.Hour, 220*24*time.Hour), both, diagnosis.ClockWrong, "days behind the far end's, so the far end's certificate looks as if it is not valid yet"},
		{"clock an hour ahead", ahead(-24*time.Hour, -time.Hour), alone(unknown), diagnosis.ClockWrong, "60 min ahead of the far end's"},
		{"certificate ended", ahead(-100*24*time.Hour, 0), alone(primary), diagnosis.BadCertificate, "; the clocks agree"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.t = t
			undo := func() {}
			if c.make != nil {
				undo = c.make()
			}
			defer undo()
			begun := time.Now()
			found := p.examine(c.look...)
			took := time.Since(begun)
			got := diagnosis.Judge(time.Now(), found)
			for i, v := range got {
				t.Logf("%s, after %v: %v: %s", found[i].Uplink, took.Round(100*time.Millisecond), v.Cause, v.Sentence)
			}
			if got[0].Cause != c.want || !strings.Contains(got[0].Sentence, c.says) {
				t.Errorf("%v: %s\nwant %v: … %s …\n%+v", got[0].Cause, got[0].Sentence, c.want, c.says, found)
			}
			if len(got) == 2 && c.want != diagnosis.FarEndDown && c.want != diagnosis.ClockWrong && got[1].Cause != diagnosis.Clear {
				t.Errorf("cellular is not at fault: %v: %s\n%+v", got[1].Cause, got[1].Sentence, found[1])
			}
		})
	}
}
