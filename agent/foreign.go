package agent

import (
	"net/url"
	"strings"

	"scanside/agent/status"
	"scanside/config"
	"scanside/failover"
)

// A far end of another make is any WHIP server: it shows its viewers what it is sent, but merges nothing, answers no probe of
// ours and knows no people. To it two publishers are two people. So there is one session per uplink, each at an endpoint of
// its own, and one of them in use: a stream never has copies (failover.Never), and moves when the engine rules its uplink
// Down, or for preference, a moment before it leaves the old one. The session that stands by is kept connected and probed, and
// sends reports but no media, so that the server's viewers see it rest.
//
// What such a server cannot give is said on the page and in package supervision: that state is never better than Unknown.

// foreign reports whether the far end is a server of another make.
func (f FarEnd) foreign() bool { return f.WHIP != "" }

// Placeholders in whip and whep.
const (
	forSite   = "{site}"
	forUplink = "{uplink}"
)

// endpoints are the URLs to publish to and to play from over an uplink; "": none.
func (f FarEnd) endpoints(site, uplink string) (whip, whep string) {
	if !f.foreign() {
		return f.base() + "/whip/" + url.PathEscape(site), f.base() + "/whep/" + url.PathEscape(site)
	}
	fill := strings.NewReplacer(forSite, url.PathEscape(site), forUplink, url.PathEscape(uplink))
	return fill.Replace(f.WHIP), fill.Replace(f.WHEP)
}

func (c *Config) checkForeign(path string, f FarEnd, m *config.Mistakes) {
	if !f.foreign() {
		if f.WHEP != "" {
			m.Add(path+".whep", "belongs to whip; a gateway's url is for both ways")
		}
		return
	}
	if f.URL != "" {
		m.Add(path+".whip", "url and whip exclude each other; url is for scanside's own gateway, whip for a server of another make")
	}
	for _, e := range []struct{ key, template string }{{".whip", f.WHIP}, {".whep", f.WHEP}} {
		filled := strings.NewReplacer(forSite, "x", forUplink, "x").Replace(e.template)
		switch u, err := url.Parse(filled); {
		case e.template == "":
		case strings.ContainsAny(filled, "{}"):
			m.Add(path+e.key, "has other placeholders than {site} and {uplink}")
		case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
			m.Add(path+e.key, "is not an address; write https://host/path, with {site} and {uplink} where they belong")
		case u.Scheme == "http" && f.TokenFile != "" && !loopback(u.Hostname()):
			m.Add(path+e.key, "would send the token unprotected; use https")
		case u.User != nil:
			m.Add(path+e.key, "holds a user; use token_file")
		}
	}
	if len(c.Uplinks) > 1 && !strings.Contains(f.WHIP, forUplink) {
		m.Add(path+".whip", "has no {uplink}; a server takes one publisher at an endpoint, so each uplink needs its own")
	}
}

// checkSole finds a wish for copies where there can be none.
func (c *Config) checkSole(m *config.Mistakes) {
	if p := c.Protection; c.farEnds()[0].foreign() && (p.Voice != leftOpen && p.Voice != failover.Never || p.Video != leftOpen && p.Video != failover.Never) {
		m.Add("protection", "cannot be had with a far end's whip: such a server shows two copies as two people; leave protection out")
	}
}

// foreign reports whether the room is at a far end of another make.
func (l *loop) foreign() bool { return l.agent.fars[l.where.at].foreign() }

// sole makes the engine's best link the only one that counts where the far end merges nothing: for its word about what
// arrives, and for what comes back.
func (l *loop) sole() {
	if !l.foreign() || !l.plan.HasBest || l.agent.uplinks[l.plan.Best].active.Load() {
		return
	}
	for i, u := range l.agent.uplinks {
		u.active.Store(failover.Link(i) == l.plan.Best)
	}
	for k := range l.flows {
		l.flows[k].anew = true
	}
	l.agent.back.renew()
}

// foreignProblems says what a far end of another make cannot give.
func (l *loop) foreignProblems(add func(id string, level status.Level, text, hint string)) {
	if l.foreign() {
		text := "The far end is a WHIP server of another make. It cannot join two uplinks: a cut is a gap, until the other uplink has taken over. " +
			"It does not say who watches, so supervision is never confirmed. What arrives there is known from its reports, once a second."
		if l.agent.fars[l.where.at].WHEP == "" {
			text += " Nothing comes back from it into this room."
		}
		add("far-end-foreign", status.Warning, text, "With scanside-gateway as the far end all of this is there; the gateway can pass the room on to such a server.")
		return
	}
	for i := range l.links {
		if c := l.links[i].conn; c != nil && !c.session.Echoes() {
			add("far-end-foreign", status.Warning, "The far end is no scanside-gateway: it answers no probes, and shows each uplink as a sender of its own.",
				"Name it as far_end.whip instead of far_end.url.")
			return
		}
	}
}
