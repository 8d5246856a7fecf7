package link

import (
	"context"
	"errors"
)

// WatchCarrier calls f with the interface's state now and at every change until ctx ends: up means that it exists, is
// administratively up and has carrier (RFC 2863 operational state up or unknown). It blocks; f is called from it.
func WatchCarrier(ctx context.Context, iface string, f func(up bool)) error {
	return errors.New("link: not built yet")
}
