package media

import "testing"

func TestH264(t *testing.T) {
	const (
		sps = "\x67\x42\xe0\x1f"
		pps = "\x68\xce"
	)
	cases := []struct {
		name       string
		payload    string
		key, start bool
	}{
		{"nothing", "", false, false},
		{"one byte", "\x65", false, false},
		{"parameter set alone", sps, true, true},
		{"picture parameter set alone", pps, false, false},
		{"IDR slice: parameter sets may precede it", "\x65\x88\x80", true, false},
		{"slice with macroblock 0", "\x61\x9a\x80", false, true},
		{"second slice of a frame", "\x61\x40\x80", false, false},
		{"access unit delimiter", "\x09\xf0", false, true},
		{"enhancement information", "\x06\x05\x01\xff", false, false},
		{"first fragment of an IDR slice", "\x7c\x85\x88\x80", true, false},
		{"middle fragment of an IDR slice", "\x7c\x05\x88\x80", false, false},
		{"last fragment of an IDR slice", "\x7c\x45\x88", false, false},
		{"first fragment of a slice", "\x7c\x81\x9a", false, true},
		{"first fragment, cut short", "\x7c\x81", false, false},
		{"aggregate of both parameter sets", "\x78\x00\x04" + sps + "\x00\x02" + pps, true, true},
		{"aggregate with the parameter set last", "\x78\x00\x02" + pps + "\x00\x04" + sps, true, true},
		{"aggregate of information and a slice", "\x78\x00\x02\x06\xff\x00\x02\x61\x9a", false, true},
		{"aggregate with a size beyond its end", "\x78\x00\xff" + sps, false, false},
		{"aggregate with size 0", "\x78\x00\x00\x00\x00", false, false},
		{"aggregate cut in the size", "\x78\x00", false, false},
		{"a type that packetization mode 1 has not", "\x79\x00\x00", false, false},
		{"reserved type", "\x60\x88", false, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := H264KeyFrame([]byte(c.payload)); got != c.key {
				t.Errorf("H264KeyFrame = %v", got)
			}
			if got := H264FrameStart([]byte(c.payload)); got != c.start {
				t.Errorf("H264FrameStart = %v", got)
			}
		})
	}
}

func FuzzH264(f *testing.F) {
	f.Add([]byte("\x78\x00\x02\x06\xff\x00\x02\x61\x9a"))
	f.Fuzz(func(_ *testing.T, payload []byte) { // whatever comes from the network must not panic
		H264KeyFrame(payload)
		H264FrameStart(payload)
	})
}
