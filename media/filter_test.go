package media

import "testing"

func TestFilter(t *testing.T) {
	type step struct {
		seq   uint64
		first bool
	}
	cases := []struct {
		name  string
		steps []step
	}{
		{"zero value takes number 0 once", []step{{0, true}, {0, false}}},
		{"in order, then each again", []step{{1, true}, {2, true}, {3, true}, {1, false}, {2, false}, {3, false}}},
		{"a late one is first, its copy is not", []step{{10, true}, {12, true}, {11, true}, {11, false}}},
		{"the oldest inside the window", []step{{FilterWindow + 100, true}, {101, true}, {100, false}, {101, false}}},
		{"a jump over the whole bitmap forgets nothing that still matters", []step{{5, true}, {1 << 40, true}, {1<<40 - 1, true}, {1 << 40, false}, {5, false}}},
		{"a word that comes round again starts empty", []step{{64, true}, {64 + filterWords*64, true}, {64 + filterWords*64 - 63, true}, {64 + filterWords*64, false}}},
		{"across the 16 bit wrap", []step{{65535, true}, {65536, true}, {65535, false}, {65536, false}, {65537, true}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var f Filter
			for i, s := range c.steps {
				if got := f.First(s.seq); got != s.first {
					t.Fatalf("step %d: First(%d) = %v", i, s.seq, got)
				}
			}
		})
	}
}

func TestExtender(t *testing.T) {
	cases := []struct {
		name string
		seqs []uint16
		want []uint64
	}{
		{"starts one cycle up", []uint16{7, 8}, []uint64{65543, 65544}},
		{"wraps", []uint16{65534, 65535, 0, 1}, []uint64{131070, 131071, 131072, 131073}},
		{"a late one belongs before the wrap", []uint16{65535, 1, 0, 65534}, []uint64{131071, 131073, 131072, 131070}},
		{"below the very first", []uint16{0, 65535}, []uint64{65536, 65535}},
		{"half the space ahead counts as behind", []uint16{0, 32767, 65535}, []uint64{65536, 98303, 65535}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var e Extender
			for i, s := range c.seqs {
				if got := e.Extend(s); got != c.want[i] {
					t.Fatalf("Extend(%d) = %d, want %d", s, got, c.want[i])
				}
			}
		})
	}
	e := Extender{highest: 65536 + 100}
	for seq, want := range map[uint16]uint64{101: 65637, 99: 2*65536 + 99, 100: 2*65536 + 100} {
		if got := e.Next(seq); got != want {
			t.Errorf("Next(%d) = %d, want %d", seq, got, want)
		}
	}
}

// FuzzFilter compares the bitmap with a map that forgets nothing. Each byte of walk moves the number: the lower seven bits say how far, the top bit backwards.
func FuzzFilter(f *testing.F) {
	f.Add(uint64(0), uint8(1), []byte{1, 1, 0x81, 1, 0, 0x7f})
	f.Add(uint64(65530), uint8(60), []byte{1, 127, 0xff, 0xff, 127, 127, 127})
	f.Fuzz(func(t *testing.T, start uint64, stride uint8, walk []byte) {
		var filter Filter
		seen := map[uint64]bool{}
		at, highest := start>>1, uint64(0) // room above
		for _, b := range walk {
			if move := uint64(b&0x7f) * uint64(stride); b&0x80 == 0 {
				at += move
			} else {
				at -= min(at, move)
			}
			highest = max(highest, at)
			want := !seen[at] && highest-at < FilterWindow
			if got := filter.First(at); got != want {
				t.Fatalf("First(%d) = %v with highest %d", at, got, highest)
			}
			seen[at] = true
		}
	})
}
