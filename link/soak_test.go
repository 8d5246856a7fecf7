package link

import (
	"os"
	"runtime"
	"testing"
)

// Sessions come and go for years: neither goroutines nor descriptors may pile up on either side.
func TestManyDials(t *testing.T) {
	leaks(t)
	f := newRealFar(t)
	defer f.close()
	n := bound(t, "127.0.0.2")
	once := func() {
		s, _ := dial(t, f.config(n))
		must(t, s.Close())
	}
	for range 3 {
		once()
	}
	count := func() int {
		d, err := os.ReadDir("/proc/self/fd")
		must(t, err)
		return len(d)
	}
	goroutines, descriptors := runtime.NumGoroutine(), count()
	for range 40 {
		once()
	}
	eventually(t, "goroutines are back", func() bool { return runtime.NumGoroutine() <= goroutines+2 })
	eventually(t, "descriptors are back", func() bool { return count() <= descriptors+2 })
	if f.resources.Len() != 0 || f.api.Len() != 0 {
		t.Errorf("%d resources and %d peers left", f.resources.Len(), f.api.Len())
	}
}
