package diagnosis

import (
	"fmt"
	"strings"
	"time"
)

// ClockLimit is how far the clocks may be apart before it is called a fault: certificates are often issued minutes before
// they are used, and a record's times are compared by people.
const ClockLimit = 5 * time.Minute

// Judge says of each uplink where its fault is. All uplinks are judged together, because what one reaches tells what another
// cannot blame.
func Judge(now time.Time, all []Findings) []Verdict {
	seen := make([]Findings, len(all))
	for i, f := range all {
		seen[i] = f.Current(now)
	}
	out := make([]Verdict, len(all))
	for i := range seen {
		out[i] = judge(seen[i], others{seen, i})
	}
	return out
}

func judge(f Findings, o others) Verdict {
	for l := Device; l <= Router; l++ {
		if f.Layers[l].Result == Failed {
			return near(l, f)
		}
	}
	web := f.Layers[Web]
	switch {
	case web.Result == Failed:
		return webFailed(f, o)
	case f.Layers[Names].Result == Failed:
		return namesFailed(f, o)
	case f.Layers[Datagrams].Result == Failed:
		return datagramsFailed(f, o)
	case f.Layers[Media].Result == Failed:
		return mediaFailed(f)
	case f.SkewKnown && abs(f.Skew) > ClockLimit:
		return clockWrong(f, "")
	case f.Layers[Media].Result == OK:
		return Verdict{Well, NumLayers, "It works: the link's probes are answered.", ""}
	case web.Result == OK:
		return Verdict{Clear, NumLayers, "The far end answers; media was not looked at.", "Nothing here; if media does not run, check this uplink again while it is dialled."}
	}
	return Verdict{Unknown, NumLayers, "Where the fault is has not been looked for yet, or what was found is too old.", "Have this uplink checked now."}
}

// near is a fault between the box and its router.
func near(l Layer, f Findings) Verdict {
	at := f.Layers[l]
	name := orElse(f.Layers[Device].Subject, "the interface")
	switch {
	case l == Device:
		return Verdict{NoDevice, l, fmt.Sprintf("The interface %s is not there: the adapter or modem is unplugged, or has another name.", name),
			"Plug it in, or correct the uplink's interface; `ip -br link` lists what is there."}
	case at.Kind == SwitchedOff:
		return Verdict{NoCarrier, l, name + " is switched off on this box.", "Switch it on: ip link set " + name + " up; then find out who switched it off."}
	case l == Carrier:
		return Verdict{NoCarrier, l, name + " has no signal: the cable is out or broken, or what it is plugged into is off.",
			"Push the plug in at both ends and look for its light; then try another cable and another socket. For a modem: antenna and SIM."}
	case at.Kind == SelfAssigned:
		return Verdict{NoAddress, l, fmt.Sprintf("%s is connected, but nobody gave it an address: it only has %s, which it made up itself.", name, orElse(at.Note, "one")),
			"The wall socket may be in the wrong VLAN, or the DHCP server is down: ask the site's IT."}
	case l == Address:
		return Verdict{NoAddress, l, name + " is connected, but has no address: no DHCP server answered, or the SIM has no data service.",
			"Wired: ask the site's IT about DHCP at this socket. Modem: check SIM, PIN and APN."}
	case at.Kind == NoRoute:
		return Verdict{SiteNetwork, l, name + " has an address, but no route leads out by it: the network named no router.",
			"Ask the site's IT for DHCP with a router, or set the uplink's gateway on this box."}
	}
	return Verdict{SiteNetwork, l, fmt.Sprintf("The cable is in and %s has an address, but its router %s does not answer: the fault is in the site's network.", name, at.Subject),
		"Check that the router has power and the socket is patched to the right network (VLAN)."}
}

func namesFailed(f Findings, o others) Verdict {
	at := f.Layers[Names]
	host := orElse(f.Layers[Web].Subject, "the far end")
	if f.Layers[Web].Result == OK {
		return Verdict{DNSBroken, Names, fmt.Sprintf("The far end is reached by an address known from before, but %s.", noNames(at, host)),
			"Have the name servers of this uplink put right before the far end's address changes: " + asked(at)}
	}
	switch {
	case at.Kind == NoSuchName && !o.any(func(x Findings) bool { return x.Layers[Names].Result == OK }):
		return Verdict{DNSBroken, Names, fmt.Sprintf("Name servers answer, but do not know %s.", host), "Check the spelling of the far end's URL; then ask who runs that name."}
	case at.Kind == Silent && f.Layers[Router].Result == OK, at.Kind == Unreachable && f.Layers[Router].Result == OK:
		return Verdict{PathDead, Names, fmt.Sprintf("The router%s answers, but %s, and so the far end's address is not known: the name servers or the provider's line are down.",
			spaced(f.Layers[Router].Subject), noNames(at, host)), "Look at the router's own page or lights for its line; then the name servers: " + asked(at)}
	}
	return Verdict{DNSBroken, Names, upperFirst(noNames(at, host)) + " over this uplink.", "Have its name servers put right: " + asked(at)}
}

// noNames says in half a sentence how looking up failed.
func noNames(at Finding, host string) string {
	switch at.Kind {
	case NoServer:
		return "there is no name server to ask"
	case NoSuchName:
		return "its name servers do not know " + host
	case Trouble:
		return "its name servers answer with an error"
	}
	return "no name server answers"
}

func asked(at Finding) string {
	if at.Subject == "" {
		return "none is configured."
	}
	return "asked " + at.Subject + "."
}

func datagramsFailed(f Findings, o others) Verdict {
	to := orElse(f.Layers[Datagrams].Subject, "its media port")
	next := "Ask the site's IT to let UDP out to " + to + ", or give this uplink a relay over TCP or TLS."
	reaches := "The far end answers over HTTPS"
	if f.Layers[Media].Result == OK {
		reaches = "Media runs by another way"
	}
	switch {
	case f.Layers[Web].Result != OK && f.Layers[Media].Result != OK:
		return Verdict{PathDead, Datagrams, "The far end's media port does not answer, and nothing else of it was looked at.", "Check this uplink again."}
	case o.any(func(x Findings) bool { return x.Layers[Datagrams].Result == OK }):
		return Verdict{UDPBlocked, Datagrams, fmt.Sprintf("%s, but UDP does not get through, while it does over %s: a firewall on this uplink blocks UDP.", reaches,
			o.name(func(x Findings) bool { return x.Layers[Datagrams].Result == OK })), next}
	case o.any(func(x Findings) bool { return x.Layers[Datagrams].Result == Failed }):
		return Verdict{UDPBlocked, Datagrams, reaches + ", but UDP gets through over no uplink: a firewall blocks it, more likely the far end's own.", "Check that UDP port " + to + " is open at the far end first. " + next}
	}
	return Verdict{UDPBlocked, Datagrams, reaches + ", but UDP does not get through: a firewall on the way blocks UDP.", next}
}

func mediaFailed(f Findings) Verdict {
	switch {
	case f.Layers[Web].Result == OK && f.Layers[Datagrams].Result == OK:
		return Verdict{MediaOnly, Media, "Everything answers up to the far end's media port, but media does not come through.",
			"It is dialled again by itself. If it lasts: look at the gateway's log, and for a firewall that drops large or lasting UDP."}
	case f.Layers[Web].Result == OK:
		return Verdict{MediaOnly, Media, "The far end answers over HTTPS, but no media comes through; whether UDP is let through is not known.",
			"Ask the site's IT whether UDP may go out; look at the far end's media ports."}
	}
	return Verdict{Unknown, Media, "Media does not come through; where it ends has not been looked for yet.", "Have this uplink checked now."}
}

func clockWrong(f Findings, effect string) Verdict {
	way := "behind"
	if f.Skew < 0 {
		way = "ahead of"
	}
	return Verdict{ClockWrong, Web, fmt.Sprintf("This box's clock is %s %s the far end's%s.", span(abs(f.Skew)), way, effect),
		"Check the time server (timedatectl); if this box's time is right, the far end's clock is wrong."}
}

// others are the uplinks besides one.
type others struct {
	all []Findings
	one int
}

func (o others) any(is func(Findings) bool) bool { return o.name(is) != "" }

// name is the first other uplink of which is holds.
func (o others) name(is func(Findings) bool) string {
	for i, f := range o.all {
		if i != o.one && is(f) {
			return orElse(f.Uplink, "another uplink")
		}
	}
	return ""
}

func abs(d time.Duration) time.Duration {
	if d < 0 {
		return -d
	}
	return d
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func spaced(s string) string {
	if s == "" {
		return ""
	}
	return " " + s
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// span is a length of time as people say it.
func span(d time.Duration) string {
	switch {
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Round(time.Hour).Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}
