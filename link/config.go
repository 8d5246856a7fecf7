package link

import (
	"crypto/tls"
	"log/slog"
	"net/netip"
	"time"

	"github.com/pion/rtp"

	"scanside/media"
	"scanside/media/content"
)

// Config is what one Session needs. It is checked once by Dial, all mistakes reported together, and never changed.
type Config struct {
	Uplink string // the uplink's name, 1-31 of a-z 0-9 _ -; sent as query parameter "uplink"
	WHIP   string // URL to POST the room's media to
	WHEP   string // URL to play the return media from; empty: publish only
	Token  string // bearer token, sent with every request; a typed "Bearer " prefix is taken off; empty: none
	// TokenHosts are further hosts ("host" or "host:port") that may see the token after a redirect. The host of the
	// URL itself always may.
	TokenHosts []string
	Run        string // this agent run's id: SDP stream id, and query parameter "run"
	Box        string // this box's id: query parameter "box"
	AsIs       bool   // the far end is a server of another make: WHIP and WHEP are used as they stand, without those parameters

	Net      Net         // all sockets of the session
	TLS      *tls.Config // roots and pins for signalling; nil: the system's roots
	Relays   []Relay     // to go through where nothing better gets through
	Memory   *Memory     // what earlier sessions over this uplink found out; nil: nothing
	Loopback bool        // gather loopback addresses too (demo, tests)

	// ProbeEvery is asked before each probe how long to wait until the next; nil: 50 ms. Clamped to 10 ms … 10 s.
	ProbeEvery func() time.Duration
	// Brief is asked before each probe whether the words that probes and answers carry may be left out, but for one in ten,
	// because another link brings them and this one's bytes cost money; nil: no.
	Brief func() bool
	// Word is what the room has received of the return media over all links; it goes out with each probe, so that the far end
	// knows what to send again when it changes links. Legs are not sent. nil: nothing. It must not block.
	Word func() []StreamReport
	// Faults is what is wrong with the sources whose media this session publishes; it goes out where Word does. nil: nothing is
	// said. It must not block.
	Faults func() Faults
	Log    *slog.Logger // nil: silent
}

// Faults is what is wrong with each of a publisher's sources, by kind.
type Faults [media.NumKinds]content.Fault

// Events are called from the session's goroutines, several at once. They must only post: never block, never call back
// into the Session except Leg, AskRepair, AskRate and AskKeyFrame. Any may be nil.
type Events struct {
	Sample   func(Sample)                      // the outcome of one probe
	KeyFrame func()                            // the far end asks for a key frame (PLI, FIR)
	Repair   func(k media.Kind, seqs []uint16) // the far end misses these packets (NACK)
	Packet   func(k media.Kind, p *rtp.Packet) // return media; p is frozen and may be retained
	Ports    func(udp []netip.AddrPort)        // the far end named its media's UDP ports, and answers BindingQuestion there
	Playing  func(on bool, reason string)      // return media's session came up or went; reason in words ("nobody there yet")
}

// Sample is the outcome of one probe.
type Sample struct {
	Number   uint32    // counts probes of this session from 1
	Sent     time.Time // when the probe left
	Answered bool
	Late     bool           // answered after this Number had been reported unanswered
	RTT      time.Duration  // true round trip, when Answered
	Clock    time.Duration  // the far end's clock when it answered, from any beginning; 0: it does not say
	Back     Tally          // what the far end had sent back over this uplink when it answered; zero: it does not say
	Far      []StreamReport // the far end's word across all legs, when Answered
}

// StreamReport is the far end's count of one merged stream.
type StreamReport struct {
	Kind       media.Kind
	Highest    uint32        // extended sequence number (RFC 3550 6.4.1) of the merged stream
	Received   uint32        // distinct packets, cumulative
	Lost       uint32        // given up for lost, cumulative
	LongestGap time.Duration // longest silence in the merged stream so far; carried in ms
	RecentGap  time.Duration // likewise, of those that ended within media.GapWindow; negative: the far end does not say
	Legs       []LegReport
}

// LegReport is the far end's count of what came over one uplink.
type LegReport struct {
	Uplink   string // the name the agent dialled with
	Received uint32 // packets, duplicates included, cumulative
	Highest  uint32 // extended sequence number of the newest packet on this leg
}
