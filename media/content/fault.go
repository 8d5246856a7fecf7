package content

// Fault is what is wrong with a picture or a sound: a closed set. The zero value is None. The numbers are told to the far
// end (package link): a fault is only ever added behind the others.
type Fault uint8

// The faults; doc.go says what each means.
const (
	None Fault = iota
	Frozen
	Black
	Covered
	Blurred
	Backward
	Silent
	Muted
	Clipping
	Hum
	TooQuiet
	// The device's own word, no verdicts of this package:
	Absent  // no picture, no sound
	Private // the room has switched it off
	numFaults
)

// Weight is how bad a fault is.
type Weight uint8

// The weights, least first.
const (
	Well     Weight = iota // no fault
	Impaired               // worse than it should be, and of use
	Unusable               // it comes from the device now, and shows or tells nothing
	Dead                   // it does not come from the room now: a slate is shown
)

// faults is the table of the faults' weights, labels, and sentences: what is wrong and what to do.
var faults = [numFaults]struct {
	weight      Weight
	label       string
	wrong, help string
}{
	None:     {Well, "none", "", ""},
	Frozen:   {Dead, "frozen", "the camera sends the same picture again and again", "open its shutter, or unplug it and plug it in again"},
	Black:    {Unusable, "black", "the picture is black", "switch a light on, or take the cap off the camera"},
	Covered:  {Unusable, "covered", "something covers the camera's lens", "look at what stands or hangs before it"},
	Blurred:  {Unusable, "blurred", "the picture is out of focus", "wipe the lens and set its focus"},
	Backward: {Impaired, "backward", "the camera's clock runs backwards", "its pictures are stamped as they arrive; unplug it and plug it in again"},
	Silent:   {Unusable, "silent", "the microphone gives digital silence", "it is muted, broken, or the wrong input: check its switch and cable"},
	Muted:    {Unusable, "muted", "the microphone went silent from one moment to the next", "somebody muted it, or its cable is loose: press its switch"},
	Clipping: {Impaired, "clipping", "the microphone is overdriven: its loudest parts are cut off", "turn its gain down or move it away"},
	Hum:      {Impaired, "hum", "the microphone brings mains hum and little else", "check its cable, its plug and what lies beside them"},
	TooQuiet: {Impaired, "too_quiet", "the microphone is quieter than any room", "turn its gain up, and check the plug between it and the box"},
	Absent:   {Dead, "absent", "the device gives nothing", "check its cable"},
	Private:  {Dead, "private", "the room has switched it off", "switch it on in the room"},
}

// String is the code word and the metric's label, e.g. "too_quiet".
func (f Fault) String() string { return faults[f.known()].label }

// Weight is how bad it is.
func (f Fault) Weight() Weight { return faults[f.known()].weight }

// Wrong says what is wrong, without a capital and a full stop; "" for None.
func (f Fault) Wrong() string { return faults[f.known()].wrong }

// Sentence says what is wrong and what to do, the same way.
func (f Fault) Sentence() string {
	row := faults[f.known()]
	if row.wrong == "" {
		return ""
	}
	return row.wrong + ": " + row.help
}

// known takes a number that a newer box told for Absent: something is wrong.
func (f Fault) known() Fault {
	if f >= numFaults {
		return Absent
	}
	return f
}

// Faults lists the closed set, without None.
func Faults() []Fault {
	all := make([]Fault, 0, numFaults-1)
	for f := None + 1; f < numFaults; f++ {
		all = append(all, f)
	}
	return all
}
