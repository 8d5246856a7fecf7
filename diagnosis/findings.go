package diagnosis

import "time"

// Layer is one step on the way from the box to the far end's media.
type Layer uint8

// The layers, lowest first.
const (
	Device    Layer = iota // the interface exists
	Carrier                // it is switched on and has a signal
	Address                // it has an address that can be routed
	Router                 // there is a route, and the next hop answers
	Names                  // the far end's name is looked up (DNS)
	Web                    // the far end answers over HTTPS, and is the one we trust
	Datagrams              // the far end's media port answers over UDP (STUN, RFC 8489)
	Media                  // the link's own probes are answered
	NumLayers
)

var layerNames = [NumLayers]string{"device", "carrier", "address", "router", "dns", "https", "udp", "media"}

// String is the layer's name in the API and in metrics.
func (l Layer) String() string {
	if l < NumLayers {
		return layerNames[l]
	}
	return "none"
}

// Result of looking at a layer. The zero value is Untested.
type Result uint8

// The results.
const (
	Untested Result = iota
	OK
	Failed
)

var resultNames = [...]string{"unknown", "ok", "failed"}

func (r Result) String() string {
	if int(r) < len(resultNames) {
		return resultNames[r]
	}
	return "unknown"
}

// Kind is how a layer failed: a closed set.
type Kind uint8

// The kinds, by the layer where they occur.
const (
	Unspecified  Kind = iota
	Absent            // Device: there is no such interface
	SwitchedOff       // Carrier: the interface is administratively down
	NoSignal          // Carrier: nothing at the other end of the cable, or the modem is not connected
	NoLease           // Address: none
	SelfAssigned      // Address: only a link-local one (RFC 3927), as when no DHCP server answers
	NoRoute           // Router: nothing says how to leave by this interface
	Silent            // nothing came back in time
	Unreachable       // a router on the way, or our own kernel, says that there is no way
	Refused           // the connection is refused
	CutOff            // the connection is opened and then cut before an answer
	NoServer          // Names: this uplink has no name server
	NoSuchName        // Names: a server answers, and knows no such name
	Trouble           // Names, Web: an answer that tells of the answerer's own trouble (SERVFAIL, 5xx)
	Redirected        // Web: plain HTTP is sent to another host
	SignIn            // Web: a page asks for something first (RFC 6585 511, or a page in the far end's place)
	AsksProxy         // Web: 407, a proxy wants to be used or told who we are
	ProxyFails        // Web: the uplink's own proxy does not carry us
	Stranger          // Web: a certificate that this box has no reason to trust
	NotYetValid       // Web: the certificate begins in this box's future
	Expired           // Web: the certificate ended in this box's past
	NotTLS            // Web: what answers does not speak TLS
	Denied            // Web: 401 or 403 to the site's token
	NoSuchSite        // Web: 404 to the site
	NotConnected      // Media: the far end answered, and no media path came up
	numKinds
)

// Finding is what was seen at one layer.
type Finding struct {
	Result  Result
	Kind    Kind      // how it failed; Unspecified when it did not
	At      time.Time // when this was seen
	Subject string    // what was looked at: "eth0", "192.0.2.1", a host; may be empty
	Note    string    // what was seen, in a few words; may be empty
}

// Findings is what is known of one uplink.
type Findings struct {
	Uplink string
	Layers [NumLayers]Finding
	// IsInterface says that the layers up to Router could be looked at; false: the uplink is emulated, or bound to an address.
	IsInterface bool
	// Beyond says that something that is not the router and not on its network answered: the line behind the router works.
	Beyond bool
	// Skew is how far the far end's clock is ahead of ours; it counts when SkewKnown.
	Skew      time.Duration
	SkewKnown bool
}

// Fresh is how old a finding may be before it counts as unknown: longer than the longest pause between two examinations of
// an uplink that does not work (60 s), so that a lasting fault stays named.
const Fresh = 90 * time.Second

// Current is f with what is too old, or was overtaken, taken for unknown.
func (f Findings) Current(now time.Time) Findings {
	for l := range f.Layers {
		if age := now.Sub(f.Layers[l].At); age > Fresh || age < -Fresh {
			f.Layers[l] = Finding{Subject: f.Layers[l].Subject, At: f.Layers[l].At}
		}
	}
	// What works proves what it stands on. Names, Web and Datagrams are no ground: a session that lives needs none of them.
	for above := NumLayers - 1; above > Device; above-- {
		if f.Layers[above].Result != OK {
			continue
		}
		for below := Device; below < min(above, Names); below++ {
			if b := &f.Layers[below]; b.Result == Failed && b.At.Before(f.Layers[above].At) {
				*b = Finding{Subject: b.Subject, At: b.At}
			}
		}
	}
	if f.Layers[Names].Result == Untested {
		f.Beyond = false
	}
	if f.Layers[Web].Result == Untested {
		f.SkewKnown = false
	}
	return f
}
