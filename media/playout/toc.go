package playout

// Rate is the sampling rate in Hz that timestamps and samples count in, that of Opus (RFC 7587 4.1).
const Rate = 48000

// longest is the most that a packet may hold: 120 ms (RFC 6716 3.2.5).
const longest = Rate * 120 / 1000

// Samples is how much voice an Opus packet holds, at 48 kHz, by its first bytes (RFC 6716 3.1 and 3.2); 0: it is no packet.
func Samples(packet []byte) int {
	if len(packet) == 0 {
		return 0
	}
	frames, config := 1, int(packet[0]>>3)
	switch packet[0] & 3 {
	case 1, 2:
		frames = 2
	case 3:
		if len(packet) < 2 {
			return 0
		}
		frames = int(packet[1] & 63)
	}
	one := 0
	switch {
	case config < 12: // SILK: 10, 20, 40, 60 ms
		one = [...]int{480, 960, 1920, 2880}[config%4]
	case config < 16: // hybrid: 10, 20 ms
		one = [...]int{480, 960}[config%2]
	default: // CELT: 2.5, 5, 10, 20 ms
		one = [...]int{120, 240, 480, 960}[config%4]
	}
	if frames*one > longest {
		return 0
	}
	return frames * one
}
