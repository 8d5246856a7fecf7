package device

import "testing"

// Opus' configuration numbers of 20 ms packets (RFC 6716 3.1, table 2): hybrid, full band.
const hybridFullBand = 15

// What voice costs: at the default rate a minute of speech must keep its full band, armed against loss as it always is, and come to 71
// bytes a packet at most, which the cost of a metered uplink (make g11) is counted with.
func TestVoiceIsThrifty(t *testing.T) {
	v, out := voice(t, defaultVoiceBitrate), &tape{}
	speak(t, v, speech(60), out)
	full := 0
	for _, p := range out.packets {
		if p.Payload[0]>>3 == hybridFullBand {
			full++
		}
	}
	n := len(out.packets)
	t.Logf("%d bit/s: %d bytes a packet, %d of %d packets in full band", defaultVoiceBitrate, out.bytes()/n, full, n)
	if out.bytes() > 71*n || full < n*99/100 {
		t.Errorf("%d bytes a packet, %d of %d in full band; want 71 at most, and 99 %%", out.bytes()/n, full, n)
	}
}
