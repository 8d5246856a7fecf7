package synthetic

import (
	"bytes"
	"time"
)

// stampMagic starts a stamp inside a payload. Like all of a stamp, and of the filling around it, its bytes have the top bit set: so no H.264 start code
// can appear (H.264 section 7.4.1: no 00 00 0x inside a NAL unit).
const stampMagic = "\xd3\xc1\xa5\x9e"

// stampSize is the magic and the fields of Stamp, seven bits to a byte.
const stampSize = len(stampMagic) + 5 + 7 + 7 + 2 + 2 + 1 + 9

// Stamp says what a synthetic packet is.
type Stamp struct {
	Run    uint32    // of the source; differs after a restart
	Packet uint64    // number in the run, from 0
	Frame  uint64    // number in the run, from 0
	Index  int       // of the packet in its frame, from 0
	Count  int       // packets in the frame
	Key    bool      // the frame is a key frame
	Sent   time.Time // when the source made it
}

// put writes the stamp into dst, which is at least stampSize long.
func (s Stamp) put(dst []byte) {
	n := copy(dst, stampMagic)
	field := func(v uint64, size int) {
		for i := size - 1; i >= 0; i-- {
			dst[n+i] = byte(v) | 0x80
			v >>= 7
		}
		n += size
	}
	field(uint64(s.Run), 5)
	field(s.Packet, 7)
	field(s.Frame, 7)
	field(uint64(s.Index), 2)
	field(uint64(s.Count), 2)
	key := uint64(0)
	if s.Key {
		key = 1
	}
	field(key, 1)
	field(uint64(s.Sent.UnixNano()), 9)
}

// ReadStamp finds the stamp in a payload; false when it has none.
func ReadStamp(payload []byte) (Stamp, bool) {
	i := bytes.Index(payload, []byte(stampMagic))
	if i < 0 || len(payload)-i < stampSize {
		return Stamp{}, false
	}
	rest := payload[i+len(stampMagic):]
	field := func(size int) (v uint64) {
		for _, b := range rest[:size] {
			v = v<<7 | uint64(b&0x7f)
		}
		rest = rest[size:]
		return v
	}
	s := Stamp{Run: uint32(field(5)), Packet: field(7), Frame: field(7), Index: int(field(2)), Count: int(field(2))}
	s.Key = field(1) == 1
	s.Sent = time.Unix(0, int64(field(9)))
	return s, s.Index < s.Count
}
