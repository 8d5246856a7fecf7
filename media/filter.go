package media

// FilterWindow is how far behind the highest number a Filter still tells new from seen: about 16 s of 2 Mbit/s video,
// 80 s of voice. It is wider than the replay ring, so that nothing a Fanout can send again is mistaken for new.
const FilterWindow = filterWords*64 - 64

const filterWords = 64

// Filter remembers which numbers of a stream were seen, in a bitmap that slides by whole words (RFC 6479 section 2.1):
// no shifting, 520 bytes, constant time. The zero value is ready. One goroutine at a time.
type Filter struct {
	last uint64 // the highest number seen
	bits [filterWords]uint64
}

// First reports whether seq is seen for the first time, and remembers it. A number FilterWindow or more behind the highest
// is never first: it can no longer be told from a duplicate.
func (f *Filter) First(seq uint64) bool {
	word := seq / 64
	if seq > f.last {
		lastWord := f.last / 64
		for i := range min(word-lastWord, filterWords) {
			f.bits[(lastWord+1+i)%filterWords] = 0
		}
		f.last = seq
	} else if f.last-seq >= FilterWindow {
		return false
	}
	w, bit := &f.bits[word%filterWords], uint64(1)<<(seq%64)
	seen := *w&bit != 0
	*w |= bit
	return !seen
}

// extenderBase is the number of cycles an Extender starts with: one, so that packets reordered around the very first have
// room below it.
const extenderBase = 1 << 16

// Extender makes 64 bit numbers out of RTP's 16 bit sequence numbers, which wrap (RFC 3550 appendix A.1). The first number is
// 65536 + its sequence number. The zero value is ready. One goroutine at a time.
type Extender struct {
	highest uint64 // 0: nothing yet
}

// Extend returns the number of seq and moves the highest up to it.
func (e *Extender) Extend(seq uint16) uint64 {
	n := e.Nearest(seq)
	e.highest = max(e.highest, n)
	return n
}

// Nearest returns the number of seq closest to the highest, without moving it; right as long as seq is less than 32768 away.
func (e *Extender) Nearest(seq uint16) uint64 {
	if e.highest == 0 {
		return extenderBase + uint64(seq)
	}
	return e.highest + uint64(int64(int16(seq-uint16(e.highest))))
}

// Next returns the lowest number of seq above the highest, without moving it.
func (e *Extender) Next(seq uint16) uint64 {
	return e.highest + 1 + uint64(seq-uint16(e.highest)-1)
}

// Highest is the highest number so far, 0 before the first.
func (e *Extender) Highest() uint64 { return e.highest }
