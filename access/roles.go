package access

import "strings"

// Right is one thing that can be allowed. Every route needs exactly one.
type Right uint8

const (
	Open        Right = iota // no sign-in: the process's health, styles and scripts, the sign-in page
	Watch                    // the room's screen: who is there, the physician's picture and voice
	Scrape                   // the metrics
	View                     // everything that the pages show and say
	Preview                  // see the room's own picture on the status page
	Mute                     // close the room's camera or microphone; lifting that needs to be in the room besides
	Procedure                // open and close a procedure
	Sound                    // the loudspeaker's volume and its test tone
	SelfTest                 // test camera, microphone and loudspeaker
	Pin                      // hold everything on one uplink
	FarEnd                   // move the room to another far end
	Examine                  // have an uplink looked at, layer by layer
	Impair                   // spoil an emulated uplink: the demo alone
	Drill                    // cut the preferred uplink for a measured while
	Devices                  // choose among cameras, microphones, loudspeakers
	Support                  // the support bundle, the installation report
	Audit                    // read and export the audit log
	ChangeUsers              // make, change and remove users
	Configure                // change the configuration
	rights                   // how many there are
)

// rightWords say what somebody wanted who lacked the right: "… needs a field technician".
var rightWords = [rights]string{
	"this", "the room's screen", "reading the metrics", "looking at this page", "seeing the room's picture here", "muting the room", "opening and closing a procedure", "setting the loudspeaker",
	"testing the devices", "holding everything on one uplink", "moving the room to another far end", "checking an uplink", "spoiling an uplink",
	"a drill", "choosing devices", "the support bundle", "the audit log", "changing users", "changing the configuration",
}

func (r Right) String() string {
	if r >= rights {
		return "this"
	}
	return rightWords[r]
}

// Acts says whether a right changes something, or shows what not everybody may see.
func (r Right) Acts() bool { return r > View }

// Role is what somebody is to the box. The first ones are no people: they are given by where a request comes from and by tokens.
type Role uint8

const (
	Nobody       Role = iota
	Scraper           // Prometheus, by its token
	Screen            // the room's screen on another machine, by its token
	Viewer            // whoever may only look
	BeforeBox         // whoever uses the box itself: its own screen
	Technologist      // runs the scan
	Technician        // mounts and mends the box
	SiteLead          // answers for the site
	Auditor           // reads everything, does nothing
	roles             // how many there are
)

var roleWords = [roles]string{
	"nobody", "scraper", "screen", "viewer", "room", "technologist", "field technician", "site lead", "auditor",
}

func (r Role) String() string {
	if r >= roles {
		return "nobody"
	}
	return roleWords[r]
}

// MarshalText and UnmarshalText write a user's role as its words.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText takes the roles that people have, alone.
func (r *Role) UnmarshalText(text []byte) error {
	for _, one := range People() {
		if one.String() == string(text) {
			*r = one
			return nil
		}
	}
	return &unknownRole{string(text)}
}

type unknownRole struct{ word string }

func (u *unknownRole) Error() string {
	return "\"" + u.word + "\" is not a role; there is technologist, field technician, site lead and auditor"
}

// People are the roles that a user can have.
func People() []Role { return []Role{Technologist, Technician, SiteLead, Auditor} }

// table is the whole of it: who may do what.
var table = [roles][]Right{
	Nobody:       {Open},
	Scraper:      {Open, Scrape},
	Screen:       {Open, Watch},
	Viewer:       {Open, Watch, View},
	BeforeBox:    {Open, Watch, View, Scrape, Mute},
	Technologist: {Open, Watch, View, Preview, Scrape, Mute, Procedure, Sound, SelfTest},
	Technician:   {Open, Watch, View, Preview, Scrape, Mute, Procedure, Sound, SelfTest, Pin, FarEnd, Examine, Impair, Drill, Devices, Support},
	SiteLead:     {Open, Watch, View, Preview, Scrape, Mute, Procedure, Sound, SelfTest, Pin, FarEnd, Examine, Impair, Drill, Devices, Support, Audit, ChangeUsers, Configure},
	Auditor:      {Open, Watch, View, Scrape, Audit},
}

// May says whether a role has a right.
func (r Role) May(want Right) bool {
	if r >= roles {
		return false
	}
	for _, has := range table[r] {
		if has == want {
			return true
		}
	}
	return false
}

// Who says in words which people have a right: "a field technician or a site lead".
func (r Right) Who() string {
	var words []string
	for _, role := range People() {
		if role.May(r) {
			words = append(words, role.Article())
		}
	}
	switch n := len(words); {
	case n == 0:
		return "nobody"
	case n == 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
}

// Article is the role as a sentence has it: "an auditor".
func (r Role) Article() string {
	if r == Auditor {
		return "an " + r.String()
	}
	return "a " + r.String()
}

// Person is who made a request.
type Person struct {
	Name string // a user's name; "" for the roles that are no people
	Role Role
}

// By is the name that a record of an act bears: the user's, or what stands for one.
func (p Person) By() string {
	if p.Name == "" {
		return p.Role.String()
	}
	return p.Name
}
