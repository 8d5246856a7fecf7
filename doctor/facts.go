package doctor

import (
	"time"

	"scanside/diagnosis"
)

// Facts is what was seen. The zero value of each part means that nothing was.
type Facts struct {
	Quick        bool
	Agent        Agent
	Devices      []Device
	Uplinks      []Uplink
	Spare        Spare
	FarEnd       FarEnd
	Clock        Clock
	Disk         Disk
	Certificates []Certificate
	Places       []Place
	Binds        []Bind
	User         string // who looked: what is permitted is permitted to him
	Power        Power
}

// Answer is yes, no, or that nobody could say. The zero value is NotKnown.
type Answer uint8

// The answers.
const (
	NotKnown Answer = iota
	Yes
	No
)

// Agent is the program itself.
type Agent struct {
	Runs    Answer
	Stuck   bool // it answers, and its loop does not work
	Version string
	Why     string // it could not be asked, in a clause; "": it was, or nobody tried
}

// Device is a camera, microphone or loudspeaker.
type Device struct {
	Name     string // "camera", "microphone", "loudspeaker"
	Works    Answer // by what it gives, not by being there
	Sentence string // what was seen
	Do       string // what to do about it; "" when nothing is known
}

// Uplink is one way out of the room.
type Uplink struct {
	Name     string
	Looked   bool // it was examined, or carries media
	Verdict  diagnosis.Verdict
	Findings diagnosis.Findings
	Weak     string // it works, and is not well: why, a sentence
	Proving  bool   // it works, and has to prove itself
}

// Spare says how many uplinks there are and how many are proven.
type Spare struct {
	Known              bool
	Configured, Proven int
}

// FarEnd is the gateway, or the server in its place.
type FarEnd struct {
	URL     string
	Reached Answer
	Refuses bool   // it answers, and takes neither token nor site
	Why     string // a sentence; may be ""
}

// Clock is this machine's.
type Clock struct {
	Synced    Answer        // by the kernel's word (adjtimex(2)), or systemd-timesyncd's
	Error     time.Duration // the kernel's bound of what it may be off; 0: not known
	Skew      time.Duration // the far end's clock is ahead of ours by
	SkewKnown bool
	SetAt     time.Time // when it was last set by a second or more, in this run; zero: it was not
	SetBy     time.Duration
}

// Disk is where the state directory is.
type Disk struct {
	Folder  string // "": none is configured
	Absent  bool   // the folder is not there yet
	Known   bool   // the figures are
	Free    uint64 // bytes
	Total   uint64
	Written Answer
	Took    time.Duration // to write a small file that lasts
	Why     string        // it could not be written, in a clause
	Log     string        // what is wrong with the audit log, in a clause; "": nothing is known to be
}

// Certificate is somebody's, by which he is known.
type Certificate struct {
	Whose  string // e.g. "gateway.example.org", "the status page"
	Name   string // what it is made out to
	Until  time.Time
	Seen   bool
	Wrong  string // it is not taken, in a clause; "": it is
	Pinned bool   // it is known by its fingerprint, so that its end does not matter
}

// Kind of place that the program needs.
type Kind uint8

// The kinds.
const (
	DeviceFile Kind = iota // to be read and written
	Folder                 // to be written, and nobody else's business
	Secret                 // to be read, and by nobody else
)

// Place is a file or folder and what this program may do there.
type Place struct {
	What     string // "camera", "state directory", "site token"
	Path     string
	Kind     Kind
	Exists   bool
	Mode     uint32 // permission bits
	Owner    string
	Group    string
	MayRead  bool
	MayWrite bool
}

// Bind says whether a socket can be bound to an uplink's interface (SO_BINDTODEVICE, socket(7)).
type Bind struct {
	Interface string
	Done      Answer // NotKnown: the interface is not there
	Why       string
}

// Power is what the kernel says of it.
type Power struct {
	Supplies []Supply
	Sensors  []Sensor
}

// Supply is a source of power (power_supply class).
type Supply struct {
	Name    string
	Battery bool
	Online  bool // of mains
	Drains  bool // of a battery
	Percent int  // of a battery; -1: not known
}

// Sensor watches a voltage; Low is its alarm.
type Sensor struct {
	Name string
	Low  bool
}
