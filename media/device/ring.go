package device

import (
	"encoding/binary"
	"sync"
)

// ring takes samples from the sound library's thread and gives them to the goroutine that encodes. It holds a fixed
// number; when it is full the oldest go, because voice that waited is worse than voice with a gap.
type ring struct {
	wake chan<- struct{} // has room for one: samples came, here or in another ring of the same source

	mu    sync.Mutex
	buf   []int16
	first int    // index of the oldest
	n     int    // held
	lost  uint64 // pushed out since the last read
	all   uint64 // written ever
}

func newRing(samples int, wake chan<- struct{}) *ring {
	return &ring{wake: wake, buf: make([]int16, samples)}
}

// write copies samples (16 bit, little endian) in. It never waits for more than a copy, so the sound library's thread
// may call it.
func (r *ring) write(pcm []byte) {
	r.mu.Lock()
	for ; len(pcm) >= 2; pcm = pcm[2:] {
		if r.n == len(r.buf) {
			r.first = (r.first + 1) % len(r.buf)
			r.n--
			r.lost++
		}
		r.buf[(r.first+r.n)%len(r.buf)] = int16(binary.LittleEndian.Uint16(pcm))
		r.n++
		r.all++
	}
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// read fills pcm if enough is held. lost is how many samples went missing before it.
func (r *ring) read(pcm []int16) (lost uint64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n < len(pcm) {
		return 0, false
	}
	for i := range pcm {
		pcm[i] = r.buf[r.first]
		r.first = (r.first + 1) % len(r.buf)
	}
	r.n -= len(pcm)
	lost, r.lost = r.lost, 0
	return lost, true
}

// written is how many samples were ever written.
func (r *ring) written() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all
}
