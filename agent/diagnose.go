package agent

import (
	"context"
	"fmt"
	"net/netip"
	"sync"

	"scanside/diagnosis"
	"scanside/examination"
)

// Diagnose examines every uplink of a configuration once, side by side, without an agent that runs: what each layer was found
// to be. Media is not looked at. The far end is the first of the configuration.
func Diagnose(ctx context.Context, cfg Config) ([]diagnosis.Findings, error) {
	found, err := examineAll(ctx, cfg)
	if err != nil {
		return nil, err
	}
	out := make([]diagnosis.Findings, len(found))
	for i := range found {
		out[i] = found[i].Findings
	}
	return out, nil
}

func examineAll(ctx context.Context, cfg Config) ([]examination.Found, error) {
	fars, err := newPlaces(cfg.farEnds())
	if err != nil {
		return nil, err
	}
	found := make([]examination.Found, len(cfg.Uplinks))
	failed := make([]error, len(cfg.Uplinks))
	look := func(known []netip.Addr) {
		var all sync.WaitGroup
		for i, u := range cfg.Uplinks {
			if len(known) > 0 && !addressMissing(found[i]) {
				continue
			}
			all.Go(func() {
				up := &uplink{cfg: u, fars: fars, site: cfg.Site, bind: bind, real: true}
				var c examination.Config
				if c, failed[i] = up.examination(0); failed[i] == nil {
					c.Addresses = known
					found[i], failed[i] = examination.Examine(ctx, c)
				}
			})
		}
		all.Wait()
	}
	look(nil)
	// An uplink whose name servers are gone is looked at again by the address that another one found.
	for _, f := range found {
		if len(f.Addresses) > 0 {
			look(f.Addresses)
			break
		}
	}
	for i := range found {
		if failed[i] != nil {
			return nil, fmt.Errorf("examine uplink %s: %w", cfg.Uplinks[i].Name, failed[i])
		}
	}
	return found, nil
}

// addressMissing reports an examination that had to stop for want of the far end's address.
func addressMissing(f examination.Found) bool {
	return f.Layers[diagnosis.Names].Result == diagnosis.Failed && f.Layers[diagnosis.Web].Result == diagnosis.Untested
}
