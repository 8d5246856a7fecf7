package failover

// F11: the picture is asked for what every link that carries it, and goes on to, is known to have room for, and never for less
// than VideoFloor nor for more than VideoRate. It stops only while every usable link is thin. Voice is never shed for rate.
// And F6: the rate does not change without a reason.
func (c *check) rate() {
	before, now := c.g.before.Plan, c.d.Plan
	if changed := before.Rate != now.Rate || before.VoiceOnly != now.VoiceOnly; changed != (len(c.d.Resizings) == 1) {
		c.breach(6, "the picture's rate went from %s to %s with %d reasons", before.rate(), now.rate(), len(c.d.Resizings))
	}
	for _, r := range c.d.Resizings {
		if r.Reason == noReason || r.Reason >= numReasons {
			c.breach(6, "the change of the picture's rate has no reason")
		}
	}
	asked := c.p.asked(now)
	if asked < c.p.VideoFloor || asked > c.p.VideoRate || now.Rate == c.p.VideoRate {
		c.breach(11, "the picture is asked for %d bit/s", now.Rate)
	}
	spared := false // another link takes the picture from those that are thin
	for l := range c.now.Links {
		v := &c.now.Links[l]
		spared = spared || c.now.spares(Link(l))
		if now.VoiceOnly && !c.down(Link(l)) && !v.Capacity.Thin {
			c.breach(11, "the picture has stopped although %s is not thin", c.p.name(Link(l)))
		}
		if c.p.copies(Voice, Link(l), v, c.now.Phase()) == Always && !c.down(Link(l)) && !now.Route[Voice].Has(Link(l)) {
			c.breach(11, "voice is not sent over %s", c.p.name(Link(l)))
		}
	}
	for l := range c.now.Links {
		v := &c.now.Links[l]
		if !now.HasBest || !now.Route[Video].Has(Link(l)) || v.Capacity.Rate == 0 || v.Capacity.Thin && (spared || now.VoiceOnly) {
			continue
		}
		if room := max(c.p.share(&v.Capacity), c.p.VideoFloor); asked-asked/20 > room {
			c.breach(11, "the picture is asked for %d bit/s, and %s has room for %d", asked, c.p.name(Link(l)), room)
		}
	}
}
