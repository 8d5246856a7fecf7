package device

import (
	"slices"
	"testing"
)

func TestRing(t *testing.T) {
	wake := make(chan struct{}, 1)
	r := newRing(6, wake)
	out := make([]int16, 3)
	read := func(want []int16, wantLost uint64) {
		t.Helper()
		lost, ok := r.read(out)
		if ok != (want != nil) || lost != wantLost || (ok && !slices.Equal(out, want)) {
			t.Errorf("read %v, %d lost, %v; want %v, %d lost", out, lost, ok, want, wantLost)
		}
	}
	read(nil, 0)
	r.write([]byte{1, 0, 2, 0})
	read(nil, 0) // not enough for a packet
	r.write([]byte{3, 0, 0xff, 0xff})
	read([]int16{1, 2, 3}, 0)
	r.write([]byte{5, 0, 6, 0, 7, 0, 8, 0, 9, 0, 10, 0, 11, 0}) // one too many, with the one held two
	read([]int16{6, 7, 8}, 2)
	read([]int16{9, 10, 11}, 0)
	read(nil, 0)
	if len(wake) != 1 {
		t.Error("nobody was woken")
	}
}
