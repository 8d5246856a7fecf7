package audit

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain is also the program that TestKill kills and TestDiskFull starves: it appends for ever and says each number that
// was acknowledged.
func TestMain(m *testing.M) {
	dir := os.Getenv("AUDIT_TEST_DIR")
	if dir == "" {
		os.Exit(m.Run())
	}
	if limit, err := strconv.ParseUint(os.Getenv("AUDIT_TEST_LIMIT"), 10, 64); err == nil {
		signal.Ignore(syscall.SIGXFSZ) // then a write beyond the limit fails, as on a full disk
		_ = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit})
	}
	l, err := Open(dir, Options{SignEvery: 16, Segment: 20000})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	refused := 0
	for refused < 20 {
		records, err := l.Append(Switchover{Streams: []string{"voice", "video"}, Reason: "ProbesMissed", Link: "primary"})
		if err != nil {
			refused++
			continue
		}
		fmt.Println(records[0].Number, records[0].Prev)
	}
	fmt.Println("refused")
}

func appender(t *testing.T, dir string, more ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	c := exec.Command(self)
	c.Env = append(append(os.Environ(), "AUDIT_TEST_DIR="+dir), more...)
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	return c, bufio.NewScanner(out)
}

// Killed at random moments, again and again, the log has every record that was acknowledged, and verifies.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[int64]string{}
	rounds := 40
	if testing.Short() {
		rounds = 10
	}
	for range rounds {
		c, out := appender(t, dir)
		kill := time.AfterFunc(time.Duration(5+rand.IntN(120))*time.Millisecond, func() { _ = c.Process.Kill() })
		for out.Scan() {
			var n int64
			var prev string
			if _, err := fmt.Sscan(out.Text(), &n, &prev); err == nil && len(prev) == 64 {
				acknowledged[n] = prev
			} else if strings.HasPrefix(out.Text(), "error") {
				t.Fatal(out.Text())
			}
		}
		_ = c.Wait()
		kill.Stop()
	}
	found := map[int64]string{}
	must(t, Each(os.DirFS(dir), func(r *Record, _ []byte) error { found[r.Number] = r.Prev; return nil }))
	for n, prev := range acknowledged {
		if found[n] != prev {
			t.Fatalf("record %d was acknowledged and is lost or altered", n)
		}
	}
	l := open(t, dir, Options{})
	must(t, l.Close())
	r := verify(t, dir)
	if !r.OK() {
		t.Errorf("problems %q", r.Problems)
	}
	t.Logf("%d kills, %d records acknowledged, %d there, %d torn bytes", rounds, len(acknowledged), r.Until, r.Torn)
}

// On a full disk what was acknowledged stays, what was not is not there, and the log goes on when there is room again.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	c, out := appender(t, dir, "AUDIT_TEST_LIMIT=5000")
	last, refused := int64(-1), false
	for out.Scan() {
		if n, err := strconv.ParseInt(strings.Fields(out.Text())[0], 10, 64); err == nil {
			last = n
		}
		refused = refused || out.Text() == "refused"
	}
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	if !refused || last < 5 {
		t.Fatalf("last record %d, refused %v: the limit was not met", last, refused)
	}
	l := open(t, dir, Options{})
	if got := l.Status().Records; got != last+1 {
		t.Errorf("%d records after the disk was full, %d were acknowledged", got, last+1)
	}
	_, err := l.Append(Missed{Records: 20, Seconds: 1})
	must(t, err)
	must(t, l.Close())
	sound(t, dir, last+2)
	if _, err := l.Append(Stopped{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("append to a closed log: %v", err)
	}
}

func BenchmarkAppend(b *testing.B) {
	l, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	for b.Loop() {
		if _, err := l.Append(Switchover{Streams: []string{"voice"}, Reason: "ProbesMissed", Link: "primary"}); err != nil {
			b.Fatal(err)
		}
	}
}
