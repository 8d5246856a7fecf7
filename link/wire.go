package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/pion/rtcp"

	"scanside/media"
	"scanside/media/content"
)

// Probe and answer are RTCP APP packets (RFC 3550 6.7) with the SSRC of the media they share the fate of. All numbers are
// big-endian; reports are unsigned varints (encoding/binary).
//
//	probe   "SCSP"  version 1 · streams 1 · length of the reports 2 · number 4 · reports · padding to 4
//	answer  "SCSE"  the same
//
// The probe's reports say what its sender has of the media that come back, without legs; the first senders wrote zeros in
// their place, and the first readers look at nothing but version and number.
//
//	report  kind · highest · received · lost · longest gap in ms · legs, then per leg: length of the name · name ·
//	        received · highest
//
// Behind the reports, within their length, may stand the recent gap in ms of each, in the same order.
//
// A probe that has 255 streams carries no word and asks for an answer without reports: another link brings them, and this one's
// bytes cost money. Far ends that do not know that answer in full.
//
// Behind the padding may stand the answerer's clock: 4 bytes, microseconds since its end of the session began, modulo 2^32; 0 is none. With
// it the prober knows how much longer the way out has become, whatever the way back does. Behind the clock may stand how much media the
// answerer has sent back over this uplink: 4 bytes of packets, 4 bytes of bytes with headers, each modulo 2^32. With it the prober knows
// how much the way back carries.
//
// Behind a probe's padding may stand what is wrong with the sources it probes for: 4 bytes, for
// voice and for video the fault's number of package content plus one, 0 for not said, then two zeros. So the far end can tell a
// slate from a picture.
//
// A reader ignores what stands behind the parts it knows, so that a later version can add some.
const (
	nameProbe  = "SCSP"
	nameAnswer = "SCSE"

	wireVersion = 1
	wireHead    = 8 // version, count, length, number
	wireMin     = 8 // with RTCP's 12 and SRTCP's 14 bytes over the 32 below which some carrier NATs drop
	briefly     = 0xff
	maxStreams  = 4
	maxLegs     = 8
	maxName     = 31
)

var errWire = errors.New("malformed probe or answer")

// appendProbe appends a probe's data. word is what the sender has of the media that come back.
func appendProbe(b []byte, number uint32, word []StreamReport) []byte {
	return appendAnswer(b, number, word)
}

// appendBrief appends the data of a probe that asks for no reports.
func appendBrief(b []byte, number uint32) []byte {
	return binary.BigEndian.AppendUint32(append(b, wireVersion, briefly, 0, 0), number)
}

// isBrief reports whether a probe asks for an answer without reports.
func isBrief(b []byte) bool { return len(b) >= wireHead && b[1] == briefly }

// parseProbe returns a probe's number and its sender's word. A word that is not understood is none: the probe is answered all
// the same.
func parseProbe(b []byte) (number uint32, word []StreamReport, err error) {
	if number, word, err = parseAnswer(b); err == nil {
		return number, word, nil
	}
	if len(b) < wireHead || b[0] != wireVersion {
		return 0, nil, errWire
	}
	return binary.BigEndian.Uint32(b[4:]), nil, nil
}

// appendAnswer appends an answer's data. Streams, legs and name bytes over the limits are left out.
func appendAnswer(b []byte, number uint32, reports []StreamReport) []byte {
	start := len(b)
	reports = reports[:min(len(reports), maxStreams)]
	b = append(b, wireVersion, byte(len(reports)), 0, 0)
	b = binary.BigEndian.AppendUint32(b, number)
	for _, r := range reports {
		b = appendReport(b, r)
	}
	if !slices.ContainsFunc(reports, func(r StreamReport) bool { return r.RecentGap < 0 }) {
		for _, r := range reports {
			b = appendMilliseconds(b, r.RecentGap)
		}
	}
	binary.BigEndian.PutUint16(b[start+2:], uint16(len(b)-start-wireHead))
	return append(b, make([]byte, padded(len(b)-start)-(len(b)-start))...)
}

// padded is how long an answer of n bytes is with its padding.
func padded(n int) int { return max(wireMin, (n+3)&^3) }

// afterReports is where an answer's, or a probe's, padding ends; beyond its end for one that is too short to say.
func afterReports(b []byte) int {
	if len(b) < wireHead {
		return wireMin
	}
	return padded(wireHead + int(binary.BigEndian.Uint16(b[2:])))
}

// appendClock appends the answerer's clock to an answer.
func appendClock(b []byte, clock time.Duration) []byte {
	return binary.BigEndian.AppendUint32(b, max(1, uint32(clock.Microseconds())))
}

// parseClock returns the clock of an answer that parseAnswer takes; false if it has none.
func parseClock(b []byte) (clock uint32, ok bool) {
	at := afterReports(b)
	if len(b) < at+4 {
		return 0, false
	}
	clock = binary.BigEndian.Uint32(b[at:])
	return clock, clock != 0 // the first answers had zeros for padding, up to 24 bytes
}

// appendFaults appends what is wrong with the sources to a probe.
func appendFaults(b []byte, f Faults) []byte {
	return append(b, byte(min(int(f[media.Voice]), 254))+1, byte(min(int(f[media.Video]), 254))+1, 0, 0)
}

// parseFaults returns what a probe that parseAnswer takes says of its sources; false: nothing.
func parseFaults(b []byte) (f Faults, said bool) {
	if isBrief(b) {
		return f, false
	}
	at := afterReports(b)
	if len(b) < at+4 || b[at] == 0 || b[at+1] == 0 {
		return f, false
	}
	f[media.Voice], f[media.Video] = content.Fault(b[at]-1), content.Fault(b[at+1]-1)
	return f, true
}

func appendReport(b []byte, r StreamReport) []byte {
	b = binary.AppendUvarint(b, uint64(r.Kind))
	b = binary.AppendUvarint(b, uint64(r.Highest))
	b = binary.AppendUvarint(b, uint64(r.Received))
	b = binary.AppendUvarint(b, uint64(r.Lost))
	b = appendMilliseconds(b, r.LongestGap)
	legs := r.Legs[:min(len(r.Legs), maxLegs)]
	b = binary.AppendUvarint(b, uint64(len(legs)))
	for _, l := range legs {
		name := l.Uplink[:min(len(l.Uplink), maxName)]
		b = binary.AppendUvarint(b, uint64(len(name)))
		b = append(b, name...)
		b = binary.AppendUvarint(b, uint64(l.Received))
		b = binary.AppendUvarint(b, uint64(l.Highest))
	}
	return b
}

func appendMilliseconds(b []byte, d time.Duration) []byte {
	return binary.AppendUvarint(b, uint64(min(max(d.Milliseconds(), 0), math.MaxUint32)))
}

// parseAnswer returns an answer's number and reports.
func parseAnswer(b []byte) (number uint32, reports []StreamReport, err error) {
	if len(b) < wireHead || b[0] != wireVersion || b[1] > maxStreams {
		return 0, nil, errWire
	}
	length := int(binary.BigEndian.Uint16(b[2:]))
	if length > len(b)-wireHead {
		return 0, nil, errWire
	}
	r := wireReader{b: b[wireHead : wireHead+length]}
	for range b[1] {
		reports = append(reports, r.report())
	}
	said := len(r.b) > 0
	for i := range reports {
		reports[i].RecentGap = -1
		if said {
			reports[i].RecentGap = r.milliseconds()
		}
	}
	if r.bad {
		return 0, nil, errWire
	}
	return binary.BigEndian.Uint32(b[4:]), reports, nil
}

// wireReader reads varints; after the first fault everything is zero and bad is set.
type wireReader struct {
	b   []byte
	bad bool
}

func (r *wireReader) number(limit uint64) uint32 {
	v, n := binary.Uvarint(r.b)
	if r.bad || n <= 0 || v > limit {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return uint32(v)
}

func (r *wireReader) milliseconds() time.Duration {
	return time.Duration(r.number(math.MaxUint32)) * time.Millisecond
}

func (r *wireReader) text() string {
	n := int(r.number(maxName))
	if r.bad || n > len(r.b) {
		r.bad = true
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *wireReader) report() StreamReport {
	out := StreamReport{
		Kind:       media.Kind(r.number(media.NumKinds - 1)),
		Highest:    r.number(math.MaxUint32),
		Received:   r.number(math.MaxUint32),
		Lost:       r.number(math.MaxUint32),
		LongestGap: r.milliseconds(),
	}
	for range r.number(maxLegs) {
		out.Legs = append(out.Legs, LegReport{Uplink: r.text(), Received: r.number(math.MaxUint32), Highest: r.number(math.MaxUint32)})
	}
	return out
}

// app wraps data for the wire. data's length must be a multiple of 4.
func app(name string, ssrc uint32, data []byte) *rtcp.ApplicationDefined {
	return &rtcp.ApplicationDefined{SSRC: ssrc, Name: name, Data: data}
}

// String shows a report in one line, for logs.
func (r StreamReport) String() string {
	return fmt.Sprintf("%v: highest %d, received %d, lost %d, longest gap %v, legs %v", r.Kind, r.Highest, r.Received, r.Lost, r.LongestGap, r.Legs)
}
