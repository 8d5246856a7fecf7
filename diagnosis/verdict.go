package diagnosis

// Cause is where the fault of an uplink is: a closed set.
type Cause uint8

// The causes. The zero value is Unknown.
const (
	Unknown        Cause = iota // nothing failed that would explain anything, and too little was seen to say that all is well
	Well                        // media runs
	Clear                       // all that was looked at works, up to the far end; media was not looked at
	NoDevice                    // the adapter or modem is not there
	NoCarrier                   // the cable, or the modem's radio
	NoAddress                   // DHCP, or the SIM's data service
	SiteNetwork                 // the router, or the switch before it
	ProviderLine                // behind the router
	PathDead                    // nothing comes through, and it cannot be told where it ends
	DNSBroken                   // name servers
	CaptivePortal               // somebody has to sign in first
	ProxyTrouble                // only a proxy lets HTTPS out, or the uplink's own does not
	TLSIntercepted              // something in between shows its own certificate
	BadCertificate              // the far end's certificate, or this box's trust in it
	FirewallBlocks              // the far end is reached elsewhere, but is not let through here
	UDPBlocked                  // HTTPS passes, UDP does not
	FarEndSilent                // the far end does not answer here; whether it is down is not known
	FarEndDown                  // the far end, by what all uplinks say
	FarEndRefuses               // the token or the site
	ClockWrong                  // this box's clock and the far end's do not agree
	MediaOnly                   // all layers answer, media does not come through
	numCauses
)

var causeNames = [numCauses]string{
	"unknown", "well", "clear", "no-device", "no-carrier", "no-address", "site-network", "provider-line", "path-dead", "dns-broken",
	"captive-portal", "proxy-trouble", "tls-intercepted", "bad-certificate", "firewall-blocks", "udp-blocked", "far-end-silent",
	"far-end-down", "far-end-refuses", "clock-wrong", "media-only",
}

// String is the cause's code word in the API and in metrics.
func (c Cause) String() string {
	if c < numCauses {
		return causeNames[c]
	}
	return "unknown"
}

// Causes are all causes, in their order.
func Causes() []Cause {
	all := make([]Cause, numCauses)
	for i := range all {
		all[i] = Cause(i)
	}
	return all
}

// Verdict is what Judge says of one uplink.
type Verdict struct {
	Cause    Cause
	Layer    Layer  // where the fault is; NumLayers: nowhere
	Sentence string // what is wrong, for a person
	Next     string // what to do about it; "" when all is well
}

// IsFault reports whether there is something to be put right.
func (v Verdict) IsFault() bool { return v.Cause != Unknown && v.Cause != Well && v.Cause != Clear }
