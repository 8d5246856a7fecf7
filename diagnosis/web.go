package diagnosis

import "fmt"

// webFailed judges an uplink over which the far end's HTTPS does not answer as it should.
func webFailed(f Findings, o others) Verdict {
	at := f.Layers[Web]
	host := orElse(at.Subject, "the far end")
	switch at.Kind {
	case Redirected, SignIn:
		return Verdict{CaptivePortal, Web, fmt.Sprintf("A sign-in page answers in the far end's place%s: a captive portal.", inBrackets(at.Note)),
			"Sign this uplink in at that page from a computer on the same network, or ask the site's IT to let this box through without."}
	case ProxyFails:
		return Verdict{ProxyTrouble, Web, fmt.Sprintf("This uplink's proxy does not carry HTTPS to %s%s.", host, inBrackets(at.Note)),
			"Check the uplink's proxy in the configuration, then ask whoever runs it to allow CONNECT to " + host + "."}
	case AsksProxy:
		return Verdict{ProxyTrouble, Web, fmt.Sprintf("A proxy of the network wants to be asked first%s: HTTPS does not go out directly.", inBrackets(at.Note)),
			"Get the proxy's address and a sign-in from the site's IT, or have " + host + " let through without it."}
	case Stranger, NotTLS:
		return stranger(f, o, host)
	case NotYetValid, Expired:
		return outOfDate(f, host)
	case Denied:
		return Verdict{FarEndRefuses, Web, "The far end answers, but refuses this site's token" + inBrackets(at.Note) + ".", "Put the site's current token into the far end's token_file."}
	case NoSuchSite:
		return Verdict{FarEndRefuses, Web, "The far end answers, but does not know this site" + inBrackets(at.Note) + ".", "Check site and the far end's URL; the gateway's configuration lists its sites."}
	case Trouble:
		return troubled(o, host, at)
	case Refused, CutOff:
		return refused(f, o, host)
	}
	return silent(f, o, host)
}

// answers reports an uplink over which the far end is heard: over HTTPS, or by media that runs.
func answers(x Findings) bool { return x.Layers[Web].Result == OK || x.Layers[Media].Result == OK }

// proves reports an uplink over which the far end showed a certificate that this box trusts.
func proves(x Findings) bool { return x.Layers[Web].Result == OK }

// mute reports an uplink over which the far end does not answer, although it leads somewhere.
func mute(x Findings) bool {
	w := x.Layers[Web]
	switch {
	case w.Result != Failed, answers(x):
		return false
	case w.Kind == Refused, w.Kind == Trouble:
		return true
	}
	return (w.Kind == Silent || w.Kind == Unreachable || w.Kind == CutOff) && x.Beyond
}

func stranger(f Findings, o others, host string) Verdict {
	at := f.Layers[Web]
	shows := "a certificate that this box does not trust" + inBrackets(at.Note)
	if at.Kind == NotTLS {
		shows = "something that does not speak TLS"
	}
	switch {
	case o.any(proves):
		return Verdict{TLSIntercepted, Web, fmt.Sprintf("In place of %s there is %s, while over %s it is the right one: something in this uplink's network intercepts TLS.", host, shows, o.name(proves)),
			"Ask the site's IT to let " + host + " through without inspection. Nothing secret was sent."}
	case o.any(func(x Findings) bool { return x.Layers[Web].Result == Failed && x.Layers[Web].Kind == at.Kind }):
		return Verdict{BadCertificate, Web, fmt.Sprintf("Over each uplink there is %s at %s.", shows, host), trustAdvice(at.Kind)}
	}
	return Verdict{BadCertificate, Web, fmt.Sprintf("At %s there is %s: it was changed, or something in between intercepts TLS.", host, shows), trustAdvice(at.Kind)}
}

func trustAdvice(k Kind) string {
	if k == NotTLS {
		return "Check the port in the far end's URL."
	}
	return "If the gateway's certificate was renewed, put its new fingerprint or authority into the far end's tls. If not, somebody is in between."
}

// outOfDate judges a certificate that is not valid at this box's time. The far end's clock counts only where the certificate
// is valid by it.
func outOfDate(f Findings, host string) Verdict {
	at := f.Layers[Web]
	what := "has ended"
	if at.Kind == NotYetValid {
		what = "is not valid yet"
	}
	if f.SkewKnown && abs(f.Skew) > ClockLimit {
		return clockWrong(f, ", so the far end's certificate looks as if it "+what)
	}
	if f.SkewKnown {
		return Verdict{BadCertificate, Web, fmt.Sprintf("The certificate of %s %s%s; the clocks agree.", host, what, inBrackets(at.Note)), "Have it renewed at the gateway."}
	}
	return Verdict{BadCertificate, Web, fmt.Sprintf("By this box's clock the certificate of %s %s%s.", host, what, inBrackets(at.Note)),
		"Check this box's clock first (timedatectl), then the gateway's certificate."}
}

func troubled(o others, host string, at Finding) Verdict {
	if o.any(answers) {
		return Verdict{FirewallBlocks, Web, fmt.Sprintf("Something answers with an error in place of %s%s, while over %s the far end is well.", host, inBrackets(at.Note), o.name(answers)),
			"Ask the site's IT which proxy or firewall of this uplink stands in between."}
	}
	return Verdict{FarEndDown, Web, fmt.Sprintf("%s answers, but is in trouble itself%s.", host, inBrackets(at.Note)), "Look at the gateway; it is tried again by itself."}
}

func refused(f Findings, o others, host string) Verdict {
	what := "refuses the connection"
	if f.Layers[Web].Kind == CutOff {
		what = "cuts the connection off"
	}
	switch {
	case f.Layers[Media].Result == OK:
		return stillMedia()
	case o.any(answers):
		return Verdict{FirewallBlocks, Web, fmt.Sprintf("Something on this uplink %s to %s, which answers over %s: a firewall.", what, host, o.name(answers)),
			"Ask the site's IT to let HTTPS out to " + host + "."}
	case o.any(mute):
		return Verdict{FarEndDown, Web, fmt.Sprintf("%s %s, and does not answer over %s either: the far end is down.", host, what, o.name(mute)), downAdvice}
	}
	return Verdict{FarEndSilent, Web, fmt.Sprintf("What is at the address of %s %s: the gateway does not run, or a firewall answers in its place.", host, what),
		"Check that the gateway runs and the port in the far end's URL; then ask the site's IT about HTTPS to it."}
}

const downAdvice = "Look at the gateway: power, network, and whether its service runs. It is tried again by itself."

func stillMedia() Verdict {
	return Verdict{FarEndSilent, Web, "Media runs, but the far end does not answer over HTTPS: a connection that is lost now could not be made again.",
		"Check that the gateway's HTTPS port is open and a firewall lets it through."}
}

// silent judges an uplink over which the far end says nothing at all.
func silent(f Findings, o others, host string) Verdict {
	router := f.Layers[Router]
	switch {
	case f.Layers[Media].Result == OK:
		return stillMedia()
	case f.Layers[Datagrams].Result == OK:
		return Verdict{FirewallBlocks, Web, fmt.Sprintf("%s answers over UDP, but not over HTTPS: a firewall blocks HTTPS, or the gateway's HTTPS port is closed.", host),
			"Ask the site's IT to let HTTPS out to " + host + "; check the gateway's port."}
	case f.Beyond && o.any(answers):
		return Verdict{FirewallBlocks, Web, fmt.Sprintf("This uplink reaches the internet, and the far end answers over %s, but not here: a firewall or the provider of this uplink blocks the way to it.", o.name(answers)),
			"Ask the site's IT to let HTTPS out to " + host + "."}
	case f.Beyond && o.any(mute):
		return Verdict{FarEndDown, Web, fmt.Sprintf("This uplink and %s reach the internet, and %s answers over neither: the far end is down.", o.name(mute), host), downAdvice}
	case f.Beyond:
		return Verdict{FarEndSilent, Web, fmt.Sprintf("This uplink reaches the internet, but %s does not answer: the far end is down, or a firewall blocks the way to it.", host),
			"Check that the gateway runs; then ask the site's IT to let HTTPS out to " + host + "."}
	case router.Result == OK && f.Layers[Names].Result == Failed:
		return Verdict{ProviderLine, Web, fmt.Sprintf("The router%s answers, nothing beyond it does: the provider's line is down.", spaced(router.Subject)), lineAdvice}
	case router.Result == OK && o.any(answers):
		return Verdict{ProviderLine, Web, fmt.Sprintf("The router%s answers, but the far end, which answers over %s, does not: the provider's line is down, or a firewall blocks the way.", spaced(router.Subject), o.name(answers)), lineAdvice}
	case router.Result == OK:
		return Verdict{FarEndSilent, Web, fmt.Sprintf("The router%s answers, but %s does not, and nothing else beyond the router was heard: the provider's line is down, or the far end.", spaced(router.Subject), host),
			"Look at the router's line first, then at the gateway."}
	case f.IsInterface:
		return Verdict{PathDead, Web, fmt.Sprintf("%s has a signal and an address, but nothing comes through: its router, or the provider's line behind it.", orElse(f.Layers[Device].Subject, "The interface")),
			"Wired: look at the router. Modem: signal, SIM and data plan, then the provider."}
	case o.any(answers):
		return Verdict{PathDead, Web, fmt.Sprintf("Nothing comes through here, while the far end answers over %s; what is in between cannot be looked at from this box.", o.name(answers)),
			"Look at what this uplink's address leads through."}
	}
	return Verdict{PathDead, Web, fmt.Sprintf("Nothing is heard of %s; what is in between cannot be looked at from this box.", host), "Look at what this uplink's address leads through, then at the gateway."}
}

const lineAdvice = "Look at the router's or modem's line light, start it once more, and then call the provider."

func inBrackets(note string) string {
	if note == "" {
		return ""
	}
	return " (" + note + ")"
}
