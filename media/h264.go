package media

// NAL unit types (RFC 6184 table 1 and section 5.2; ITU-T H.264 table 7-1).
const (
	nalSlice = 1
	nalIDR   = 5
	nalSPS   = 7
	nalAUD   = 9
	nalSTAPA = 24
	nalFUA   = 28
)

// H264KeyFrame reports whether an RTP payload is one that a key frame starts with: it carries a sequence parameter set, or the
// first bytes of an IDR slice. A key frame whose parameter sets travel in a packet of their own has two such payloads.
// Packets of one frame share the RTP timestamp (RFC 6184 section 5.1); the marker bit ends it.
func H264KeyFrame(payload []byte) bool {
	return anyNAL(payload, func(typ byte, _ []byte) bool { return typ == nalSPS || typ == nalIDR })
}

// H264FrameStart reports whether an RTP payload can only be the first of its frame: an access unit delimiter, a parameter set, or the
// slice with macroblock 0 of a frame that is not a key frame. The IDR slice may follow its parameter sets, so for it the
// answer is no: what came before it has to be known.
func H264FrameStart(payload []byte) bool {
	return anyNAL(payload, func(typ byte, body []byte) bool {
		// A slice header starts with first_mb_in_slice as ue(v): a leading 1 bit is 0 (H.264 sections 7.3.3, 9.1).
		return typ == nalAUD || typ == nalSPS || typ == nalSlice && len(body) > 0 && body[0]&0x80 != 0
	})
}

// anyNAL calls found for each NAL unit that begins in payload, with its type and what follows its header, until it says yes.
// Truncated or foreign payloads have no NAL units.
func anyNAL(payload []byte, found func(typ byte, body []byte) bool) bool {
	if len(payload) < 2 {
		return false
	}
	switch typ := payload[0] & 0x1f; typ {
	case nalSTAPA: // section 5.7.1: a 16 bit size before each unit
		for rest := payload[1:]; len(rest) > 2; {
			size := int(rest[0])<<8 | int(rest[1])
			rest = rest[2:]
			if size == 0 || size > len(rest) {
				return false
			}
			if found(rest[0]&0x1f, rest[1:size]) {
				return true
			}
			rest = rest[size:]
		}
		return false
	case nalFUA: // section 5.8: the start bit, and the type in the second byte
		return payload[1]&0x80 != 0 && found(payload[1]&0x1f, payload[2:])
	default:
		return typ > 0 && typ < nalSTAPA && found(typ, payload[1:])
	}
}
