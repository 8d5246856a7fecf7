package diagnosis

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// read makes findings of a line such as "device ok, carrier failed NoSignal": what is not named was not looked at. The
// subjects are those of a wired uplink.
func read(t testing.TB, uplink, line string) Findings {
	t.Helper()
	f := Findings{Uplink: uplink, IsInterface: true}
	subjects := [NumLayers]string{"eth0", "eth0", "192.0.2.7", "192.0.2.1", "192.0.2.53", "far.example", "198.51.100.9:8443", ""}
	for l := range f.Layers {
		f.Layers[l].Subject = subjects[l]
	}
	for _, part := range strings.Split(line, ", ") {
		words := strings.Fields(part)
		switch {
		case len(words) == 0:
			continue
		case words[0] == "beyond":
			f.Beyond = true
			continue
		case words[0] == "emulated":
			f.IsInterface = false
			continue
		case words[0] == "skew":
			d, err := time.ParseDuration(words[1])
			if err != nil {
				t.Fatal(err)
			}
			f.Skew, f.SkewKnown = d, true
			continue
		case words[0] == "near": // up to the router all is well
			for l := Device; l <= Router; l++ {
				f.Layers[l].Result, f.Layers[l].At = OK, now
			}
			continue
		}
		l := Device
		for l.String() != words[0] {
			if l++; l == NumLayers {
				t.Fatalf("%q names no layer", part)
			}
		}
		at := now
		for _, w := range words[1:] {
			switch d, err := time.ParseDuration(w); {
			case err == nil:
				at = now.Add(-d)
			case w == "ok":
				f.Layers[l].Result = OK
			case w == "failed":
				f.Layers[l].Result = Failed
			default:
				f.Layers[l].Kind = kinds[w]
				if kinds[w] == Unspecified {
					t.Fatalf("%q names no kind", part)
				}
			}
		}
		f.Layers[l].At = at
	}
	return f
}

var kinds = map[string]Kind{
	"Absent": Absent, "SwitchedOff": SwitchedOff, "NoSignal": NoSignal, "NoLease": NoLease, "SelfAssigned": SelfAssigned, "NoRoute": NoRoute,
	"Silent": Silent, "Unreachable": Unreachable, "Refused": Refused, "CutOff": CutOff, "NoServer": NoServer, "NoSuchName": NoSuchName,
	"Trouble": Trouble, "Redirected": Redirected, "SignIn": SignIn, "AsksProxy": AsksProxy, "ProxyFails": ProxyFails, "Stranger": Stranger, "NotYetValid": NotYetValid,
	"Expired": Expired, "NotTLS": NotTLS, "Denied": Denied, "NoSuchSite": NoSuchSite, "NotConnected": NotConnected,
}

const reaches = "near, dns ok, beyond, https ok, udp ok"

// What was found over one uplink (and over the other), and what is said of the first.
var judged = []struct {
	name, one, other string
	want             Cause
	says             string
}{
	{"adapter unplugged", "device failed Absent", "", NoDevice, "eth0 is not there"},
	{"cable pulled", "device ok, carrier failed NoSignal", reaches, NoCarrier, "the cable is out"},
	{"switched off", "device ok, carrier failed SwitchedOff", "", NoCarrier, "switched off on this box"},
	{"no DHCP", "device ok, carrier ok, address failed NoLease", "", NoAddress, "no DHCP server answered"},
	{"made its address up", "device ok, carrier ok, address failed SelfAssigned", "", NoAddress, "made up itself"},
	{"no route", "device ok, carrier ok, address ok, router failed NoRoute", "", SiteNetwork, "no route leads out"},
	{"router gone", "device ok, carrier ok, address ok, router failed Silent, dns failed Silent, https failed Silent", reaches, SiteNetwork, "router 192.0.2.1 does not answer"},
	{"line down", "near, dns failed Silent, https failed Silent, udp failed Silent", "", ProviderLine, "The router 192.0.2.1 answers, nothing beyond it does: the provider's line is down."},
	{"line down, the other is well", "near, dns failed Silent, https failed Silent", reaches, ProviderLine, "nothing beyond it does"},
	{"line down, the router's own name server answers", "near, dns ok, https failed Silent", reaches, ProviderLine, "the provider's line is down, or a firewall"},
	{"the router's own name server answers, nothing to compare", "near, dns ok, https failed Silent", "", FarEndSilent, "the provider's line is down, or the far end"},
	{"line down, far end's address never known", "near, dns failed Silent", "", PathDead, "the far end's address is not known"},
	{"modem without a router to ask", "device ok, carrier ok, address ok, dns failed Silent, https failed Silent", "", PathDead, "nothing comes through"},
	{"emulated and cut, the other is well", "emulated, https failed Silent, udp failed Silent, media failed Silent", "emulated, https ok, udp ok, media ok", PathDead, "cannot be looked at from this box"},
	{"emulated and cut, media runs over the other", "emulated, https failed Silent, udp failed Silent, media failed Silent", "emulated, media ok", PathDead, "the far end answers over cellular"},
	{"silent, media runs over the other", "near, dns ok, beyond, https failed Silent", "media ok", FirewallBlocks, "answers over cellular"},
	{"certificate changed, media still runs over the other", "near, dns ok, beyond, https failed Stranger", "media ok", BadCertificate, "was changed, or something in between"},
	{"emulated, both cut", "emulated, https failed Silent", "emulated, https failed Silent", PathDead, "Nothing is heard of far.example"},
	{"name servers gone, address known", "near, dns failed Silent, https ok, udp ok", "", DNSBroken, "no name server answers"},
	{"name servers gone, media runs", "near, dns failed Silent, https ok, media ok", "", DNSBroken, "an address known from before"},
	{"no name servers", "near, dns failed NoServer", "", DNSBroken, "There is no name server to ask"},
	{"name servers in trouble", "near, dns failed Trouble", reaches, DNSBroken, "answer with an error"},
	{"name misspelt", "near, dns failed NoSuchName, beyond", "near, dns failed NoSuchName, beyond", DNSBroken, "do not know far.example"},
	{"name unknown here only", "near, dns failed NoSuchName, beyond", reaches, DNSBroken, "Its name servers do not know far.example over this uplink"},
	{"portal redirects", "near, dns ok, https failed Redirected", reaches, CaptivePortal, "captive portal"},
	{"portal shows a page", "near, dns ok, https failed SignIn", "", CaptivePortal, "sign-in page"},
	{"portal, name servers silent", "near, dns failed Silent, https failed SignIn", "", CaptivePortal, "sign-in page"},
	{"proxy wants us", "near, dns ok, beyond, https failed AsksProxy", "", ProxyTrouble, "wants to be asked first"},
	{"our own proxy refuses", "near, dns failed Silent, https failed ProxyFails", reaches, ProxyTrouble, "This uplink's proxy does not carry HTTPS"},
	{"TLS intercepted here", "near, dns ok, beyond, https failed Stranger", reaches, TLSIntercepted, "intercepts TLS"},
	{"certificate changed, one view", "near, dns ok, beyond, https failed Stranger", "", BadCertificate, "was changed, or something in between"},
	{"certificate changed, both say so", "near, dns ok, beyond, https failed Stranger", "near, dns ok, beyond, https failed Stranger", BadCertificate, "Over each uplink"},
	{"not TLS", "near, dns ok, beyond, https failed NotTLS", "", BadCertificate, "does not speak TLS"},
	{"certificate ended, clocks agree", "near, dns ok, beyond, https failed Expired, skew 2s", "", BadCertificate, "the clocks agree"},
	{"certificate ended, clock unknown", "near, dns ok, beyond, https failed Expired", "", BadCertificate, "By this box's clock"},
	{"clock years behind", "near, dns ok, beyond, https failed NotYetValid, skew 20000h", "", ClockWrong, "833 days behind the far end's, so the far end's certificate looks as if it is not valid yet"},
	{"clock an hour ahead, all else well", reaches + ", media ok, skew -1h", "", ClockWrong, "60 min ahead of the far end's"},
	{"clock an hour ahead, UDP blocked", "near, dns ok, beyond, https ok, udp failed Silent, skew -1h", "", UDPBlocked, "blocks UDP"},
	{"token refused", "near, dns ok, beyond, https failed Denied", "", FarEndRefuses, "token"},
	{"site unknown", "near, dns ok, beyond, https failed NoSuchSite", "", FarEndRefuses, "does not know this site"},
	{"gateway in trouble", "near, dns ok, beyond, https failed Trouble", "", FarEndDown, "in trouble itself"},
	{"an error page on one uplink only", "near, dns ok, beyond, https failed Trouble", reaches, FirewallBlocks, "in place of far.example"},
	{"refused over both", "near, dns ok, beyond, https failed Refused", "near, dns ok, beyond, https failed Refused", FarEndDown, "the far end is down"},
	{"refused here, well there", "near, dns ok, beyond, https failed Refused", reaches, FirewallBlocks, "a firewall"},
	{"refused, one view", "near, dns ok, beyond, https failed Refused", "", FarEndSilent, "the gateway does not run, or a firewall"},
	{"refused, the other has no signal", "near, dns ok, beyond, https failed Refused", "device ok, carrier failed NoSignal", FarEndSilent, "the gateway does not run, or a firewall"},
	{"cut off here, well there", "near, dns ok, beyond, https failed CutOff", reaches, FirewallBlocks, "cuts the connection off"},
	{"silent over both", "near, dns ok, beyond, https failed Silent", "near, dns ok, beyond, https failed Silent", FarEndDown, "answers over neither"},
	{"silent here, well there", "near, dns ok, beyond, https failed Silent", reaches, FirewallBlocks, "a firewall or the provider of this uplink"},
	{"silent, one view", "near, dns ok, beyond, https failed Silent", "", FarEndSilent, "is down, or a firewall"},
	{"silent, the other's line is down", "near, dns ok, beyond, https failed Silent", "near, dns failed Silent, https failed Silent", FarEndSilent, "is down, or a firewall"},
	{"UDP answers, HTTPS does not", "near, dns ok, beyond, https failed Silent, udp ok", "", FirewallBlocks, "over UDP, but not over HTTPS"},
	{"media runs, HTTPS does not", "near, dns ok, beyond, https failed Silent, media ok", "", FarEndSilent, "Media runs"},
	{"UDP blocked, one view", "near, dns ok, beyond, https ok, udp failed Silent", "", UDPBlocked, "a firewall on the way"},
	{"UDP blocked here", "near, dns ok, beyond, https ok, udp failed Silent", reaches, UDPBlocked, "while it does over cellular"},
	{"UDP blocked over both", "near, https ok, udp failed Silent", "near, https ok, udp failed Silent", UDPBlocked, "the far end's own"},
	{"UDP blocked, media over TCP", "near, https ok, udp failed Silent, media ok", "", UDPBlocked, "Media runs by another way"},
	{"UDP silent and nothing else known", "udp failed Silent", "", PathDead, "nothing else of it was looked at"},
	{"only media fails", reaches + ", media failed NotConnected", "", MediaOnly, "media does not come through"},
	{"media fails, UDP never looked at", "near, https ok, media failed NotConnected", "", MediaOnly, "is not known"},
	{"media fails, nothing looked at yet", "media failed Silent", "", Unknown, "has not been looked for yet"},
	{"all is well", reaches + ", media ok", "", Well, "It works"},
	{"media is proof enough", "media ok", "", Well, "It works"},
	{"looked at by hand", reaches, "", Clear, "media was not looked at"},
	{"nothing known", "", "", Unknown, "has not been looked for"},
	{"the cable was out, but that is long ago", "device ok 100s, carrier failed NoSignal 100s", "", Unknown, "too old"},
	{"the cable was out, now media runs", "carrier failed NoSignal 5s, media ok", "", Well, "It works"},
	{"the router said nothing, but lets through", "near, router failed Silent 1s, dns ok, beyond, https ok", "", Clear, "The far end answers"},
	{"the other's word is old", "near, dns ok, beyond, https failed Silent", "near, dns ok, https ok 100s", FarEndSilent, "is down, or a firewall"},
}

func TestJudge(t *testing.T) {
	said := map[Cause]bool{}
	sentences := map[string]string{}
	for _, c := range judged {
		t.Run(c.name, func(t *testing.T) {
			all := []Findings{read(t, "primary", c.one)}
			if c.other != "" {
				all = append(all, read(t, "cellular", c.other))
			}
			got := Judge(now, all)[0]
			if got.Cause != c.want || !strings.Contains(got.Sentence, c.says) {
				t.Errorf("%v: %s\nwant %v: … %s …", got.Cause, got.Sentence, c.want, c.says)
			}
			said[got.Cause] = true
			if was, twice := sentences[got.Sentence]; twice && was != got.Cause.String() {
				t.Errorf("the same sentence for %s and %v: %s", was, got.Cause, got.Sentence)
			}
			sentences[got.Sentence] = got.Cause.String()
			t.Logf("%v at %v: %s → %s", got.Cause, got.Layer, got.Sentence, got.Next)
		})
	}
	for _, c := range Causes() {
		if !said[c] {
			t.Errorf("no case says %v", c)
		}
	}
}

func drawFindings(t *rapid.T, name string) Findings {
	f := Findings{Uplink: name, IsInterface: rapid.Bool().Draw(t, "interface"), Beyond: rapid.Bool().Draw(t, "beyond"), SkewKnown: rapid.Bool().Draw(t, "skew known"),
		Skew: time.Duration(rapid.Int64().Draw(t, "skew"))}
	for l := range f.Layers {
		f.Layers[l] = Finding{
			Result: Result(rapid.IntRange(0, 2).Draw(t, "result")), Kind: Kind(rapid.IntRange(0, int(numKinds)+3).Draw(t, "kind")),
			At:      now.Add(-time.Duration(rapid.Int64Range(-200, 200).Draw(t, "age")) * time.Second),
			Subject: rapid.SampledFrom([]string{"", "x"}).Draw(t, "subject"), Note: rapid.SampledFrom([]string{"", "y"}).Draw(t, "note"),
		}
	}
	return f
}

// D1 to D5, for whatever was found.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []Findings
		for _, name := range []string{"primary", "cellular", "third"}[:rapid.IntRange(0, 3).Draw(t, "uplinks")] {
			all = append(all, drawFindings(t, name))
		}
		verdicts := Judge(now, all)
		if len(verdicts) != len(all) {
			t.Fatalf("%d verdicts for %d uplinks", len(verdicts), len(all))
		}
		for i, v := range verdicts {
			f := all[i].Current(now)
			if v.Cause == Well || v.Cause == Clear {
				for l, x := range f.Layers {
					if x.Result == Failed {
						t.Fatalf("D1: %v although %v failed", v.Cause, Layer(l))
					}
				}
			}
			if v.IsFault() {
				if v.Layer >= NumLayers || (f.Layers[v.Layer].Result != Failed && v.Cause != ClockWrong) {
					t.Fatalf("D3: %v at %v, which is %v", v.Cause, v.Layer, f.Layers[min(v.Layer, Media)].Result)
				}
				if age := now.Sub(all[i].Layers[v.Layer].At); v.Cause != ClockWrong && (age > Fresh || age < -Fresh) {
					t.Fatalf("D2: %v by a finding %v old", v.Cause, age)
				}
			}
			for j := range all {
				if v.Cause == FarEndDown && j != i && answers(all[j].Current(now)) {
					t.Fatalf("D4: down, although %s reaches it", all[j].Uplink)
				}
			}
			if v.Sentence == "" || (v.Next == "" && v.Cause != Well) || v.Cause.String() == "" {
				t.Fatalf("D5: %+v", v)
			}
		}
	})
}
