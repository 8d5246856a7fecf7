package agent

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
)

// place is one of the configured far ends, ready to be dialled.
type place struct {
	FarEnd
	name  string // host[:port], for people and metrics
	trust *tls.Config
	shown *atomic.Pointer[certificate] // what it showed last, over any uplink
}

// certificate is what a far end showed, and why it was not taken; "": it was.
type certificate struct {
	*x509.Certificate
	wrong string
}

// newPlaces reads what each far end is known by.
func newPlaces(all []FarEnd) ([]place, error) {
	var out []place
	for _, f := range all {
		trust, err := farEndTLS(f)
		if err != nil {
			return nil, err
		}
		out = append(out, place{f, hostOf(f), trust, &atomic.Pointer[certificate]{}})
	}
	return out, nil
}

// hostOf is host[:port], by which people know a far end.
func hostOf(f FarEnd) string {
	if u, err := url.Parse(f.base()); err == nil {
		return u.Host
	}
	return f.base()
}

// token is read anew at each use, so that it can be changed without a restart.
func (f *place) token() (string, error) {
	if f.Token != "" || f.TokenFile == "" {
		return f.Token, nil
	}
	token, err := readToken(f.TokenFile)
	if err != nil {
		return "", &localFault{"the site's token cannot be read", err}
	}
	return token, nil
}

// orders is where the loop wants an uplink to be, and where else to look. The loop writes them, the uplink's goroutines
// follow. The zero value is no orders: give some before Run.
type orders struct {
	lock    sync.Mutex
	far     int
	stay    context.Context // ends when the room moves
	leaving context.CancelFunc
	look    []int
	changed chan struct{} // closed at the next change of either
}

// order gives new orders; the same again change nothing.
func (o *orders) order(far int, look []int) {
	o.lock.Lock()
	defer o.lock.Unlock()
	if o.stay != nil && o.far == far && slices.Equal(o.look, look) {
		return
	}
	if o.stay == nil || o.far != far {
		if o.leaving != nil {
			o.leaving()
		}
		o.stay, o.leaving = context.WithCancel(context.Background())
	}
	o.far, o.look = far, look
	if o.changed != nil {
		close(o.changed)
	}
	o.changed = make(chan struct{})
}

// where is the far end to be at, and a context that ends when it is another one.
func (o *orders) where() (far int, stay context.Context) {
	o.lock.Lock()
	defer o.lock.Unlock()
	return o.far, o.stay
}

// looks is where else to look, and a channel that is closed when orders change.
func (o *orders) looks() (far int, look []int, changed <-chan struct{}) {
	o.lock.Lock()
	defer o.lock.Unlock()
	return o.far, o.look, o.changed
}
