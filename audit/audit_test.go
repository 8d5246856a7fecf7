package audit

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dir string, opt Options) *Log {
	t.Helper()
	l, err := Open(dir, opt)
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func appendN(t *testing.T, l *Log, n int) {
	t.Helper()
	for i := range n {
		_, err := l.Append(Switchover{Streams: []string{"voice"}, From: []string{"primary"}, To: []string{"cellular"}, Reason: "ProbesMissed", Link: "primary", Replayed: uint64(i)})
		must(t, err)
	}
}

func verify(t *testing.T, dir string) Report {
	t.Helper()
	public, err := os.ReadFile(filepath.Join(dir, "key.pub"))
	must(t, err)
	r, err := Verify(os.DirFS(dir), strings.TrimSpace(string(public)), "")
	must(t, err)
	return r
}

func sound(t *testing.T, dir string, records int64) Report {
	t.Helper()
	r := verify(t, dir)
	if !r.OK() || r.Until != records {
		t.Fatalf("%d records, want %d; problems: %q", r.Until, records, r.Problems)
	}
	return r
}

func TestAppendAndVerify(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	l := open(t, dir, Options{SignEvery: 10, Segment: 2000})
	appendN(t, l, 95)
	must(t, l.Close())
	r := sound(t, dir, 95)
	if r.Unsigned != 0 || r.Checkpoints < 10 || r.Kinds["switchover"] != 95 {
		t.Errorf("report %+v", r)
	}
	if all, _ := segments(os.DirFS(dir)); len(all) < 5 {
		t.Errorf("%d files; want several of 2000 bytes", len(all))
	}
	l = open(t, dir, Options{SignEvery: 10, Segment: 2000})
	records, err := l.Append(Started{Version: "v1", Clean: true}, ClockStep{BySeconds: -3})
	must(t, err)
	if records[0].Number != 95 || records[1].Number != 96 || records[1].Prev == records[0].Prev {
		t.Errorf("records %+v", records)
	}
	must(t, l.Close())
	sound(t, dir, 97)
}

func TestConcurrent(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{SignEvery: 7, Segment: 3000})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 25 {
				if _, err := l.Append(Stopped{}, Procedure{Open: true}); err != nil {
					t.Error(err)
				}
				_ = l.Status()
			}
		})
	}
	all.Wait()
	must(t, l.Close())
	sound(t, dir, 400)
	if _, err := l.Append(Stopped{}); err == nil {
		t.Error("a closed log took a record")
	}
}

func TestSecondOpenIsRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, Options{})
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("second Open: %v", err)
	}
}

// Every way to change the files that the chain, the tree or a checkpoint must find.
func TestTampering(t *testing.T) {
	const records = 60
	cases := map[string]struct {
		do   func(t *testing.T, dir string)
		want string
	}{
		"a word changed": {func(t *testing.T, dir string) {
			edit(t, dir, func(lines []string) []string {
				lines[20] = strings.Replace(lines[20], "cellular", "primary", 1)
				return lines
			})
		}, "does not follow the line before"},
		"the last line changed": {func(t *testing.T, dir string) {
			edit(t, dir, func(lines []string) []string {
				lines[records-1] = strings.Replace(lines[records-1], "cellular", "primary", 1)
				return lines
			})
		}, "vouches for other records"},
		"a line taken out": {func(t *testing.T, dir string) {
			edit(t, dir, func(lines []string) []string { return append(lines[:20:20], lines[21:]...) })
		}, "record 21 stands where 20 should"},
		"two lines changed over": {func(t *testing.T, dir string) {
			edit(t, dir, func(lines []string) []string { lines[7], lines[8] = lines[8], lines[7]; return lines })
		}, "record 8 stands where 7 should"},
		"the end cut off": {func(t *testing.T, dir string) {
			edit(t, dir, func(lines []string) []string { return lines[:30] })
		}, "the end was cut off"},
		"free text put in": {func(t *testing.T, dir string) {
			edit(t, dir, func(lines []string) []string {
				lines[5] = strings.Replace(lines[5], `"reason"`, `"remark":"x","reason"`, 1)
				return lines
			})
		}, `unknown field "remark"`},
		"a checkpoint changed": {func(t *testing.T, dir string) {
			replaceIn(t, filepath.Join(dir, "checkpoints"), "scanside\n10\n", "scanside\n11\n")
		}, "signature"},
		"half a line at the end": {func(t *testing.T, dir string) {
			edit(t, dir, func(lines []string) []string { lines[records-1] = lines[records-1][:30]; return lines })
		}, "no whole record"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := open(t, dir, Options{SignEvery: 10})
			appendN(t, l, records)
			must(t, l.Close())
			sound(t, dir, records)
			c.do(t, dir)
			r := verify(t, dir)
			if !strings.Contains(strings.Join(r.Problems, "\n"), c.want) {
				t.Errorf("problems %q; want one with %q", r.Problems, c.want)
			}
		})
	}
}

func edit(t *testing.T, dir string, f func([]string) []string) {
	t.Helper()
	name := filepath.Join(dir, segmentName(0))
	text, err := os.ReadFile(name)
	must(t, err)
	lines := f(strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"))
	whole := strings.Join(lines, "\n")
	if strings.HasSuffix(lines[len(lines)-1], "}") {
		whole += "\n"
	}
	must(t, os.WriteFile(name, []byte(whole), 0o600))
}

func replaceIn(t *testing.T, name, old, new string) {
	t.Helper()
	text, err := os.ReadFile(name)
	must(t, err)
	if !bytes.Contains(text, []byte(old)) {
		t.Fatalf("%s holds no %q", name, old)
	}
	must(t, os.WriteFile(name, bytes.Replace(text, []byte(old), []byte(new), 1), 0o600))
}

// Whoever has the key can rewrite everything; a checkpoint that somebody else kept finds it.
func TestRewriteByOwnerOfTheKey(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	l := open(t, dir, Options{})
	appendN(t, l, 20)
	kept, err := l.Sign()
	must(t, err)
	must(t, l.Close())
	for _, name := range []string{"key", "key.pub"} {
		must(t, os.Rename(filepath.Join(dir, name), filepath.Join(other, name)))
	}
	forged := open(t, other, Options{})
	appendN(t, forged, 25)
	must(t, forged.Close())
	sound(t, other, 25)
	r, err := Verify(os.DirFS(other), forged.PublicKey(), kept.Text)
	must(t, err)
	if !strings.Contains(strings.Join(r.Problems, "\n"), "rewritten") {
		t.Errorf("problems %q", r.Problems)
	}
}

func TestTornTail(t *testing.T) {
	for name, tail := range map[string]string{
		"half a record": `{"n":30,"at":"2026-11-24T20:0`, "zeros": string(make([]byte, 700)), "noise": "\x00\n\xff\n}{\n", "a blank line": "\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := open(t, dir, Options{SignEvery: 100})
			appendN(t, l, 30)
			crash(l)
			file, err := os.OpenFile(filepath.Join(dir, segmentName(0)), os.O_APPEND|os.O_WRONLY, 0)
			must(t, err)
			_, err = file.WriteString(tail)
			must(t, err)
			must(t, file.Close())

			l = open(t, dir, Options{})
			appendN(t, l, 1)
			must(t, l.Close())
			r := sound(t, dir, 32) // 30, Torn, 1
			if r.Torn != int64(len(tail)) {
				t.Errorf("%d torn bytes said, want %d", r.Torn, len(tail))
			}
			if aside, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("torn-%012d", 30))); err != nil || string(aside) != tail {
				t.Errorf("kept aside: %q, %v", aside, err)
			}
		})
	}
}

// crash leaves the files as a kill does: no last checkpoint.
func crash(l *Log) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.release()
}

func TestLostBehindACheckpoint(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{SignEvery: 10})
	appendN(t, l, 30)
	must(t, l.Close())
	edit(t, dir, func(lines []string) []string { lines[29] = lines[29][:40]; return lines })
	l = open(t, dir, Options{})
	must(t, l.Close())
	public := l.PublicKey()
	r, err := Verify(os.DirFS(dir), public, "")
	if err == nil || !strings.Contains(err.Error(), "records 29 to 29 are gone") {
		t.Errorf("report %+v, error %v", r, err)
	}
}

func TestDamageInTheMiddleStays(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{SignEvery: 100})
	appendN(t, l, 30)
	crash(l)
	edit(t, dir, func(lines []string) []string { lines[12] = "rubbish"; return lines })
	before, err := os.ReadFile(filepath.Join(dir, segmentName(0)))
	must(t, err)
	l = open(t, dir, Options{})
	appendN(t, l, 3)
	must(t, l.Close())
	after, err := os.ReadFile(filepath.Join(dir, segmentName(0)))
	must(t, err)
	if !bytes.Equal(before, after) {
		t.Error("the damaged file was changed")
	}
	r := verify(t, dir)
	all := strings.Join(r.Problems, "\n")
	if !strings.Contains(all, "line 13") || r.Until != 34 || r.Kinds["damaged"] != 1 {
		t.Errorf("%d records, problems %q", r.Until, r.Problems)
	}
}

// The hashes are made again when they are behind, gone, or wrong since the newest checkpoint.
func TestHashesAreMadeAgain(t *testing.T) {
	for name, spoil := range map[string]func(string) error{
		"gone":  os.Remove,
		"short": func(f string) error { return os.Truncate(f, 100) },
		"wrong": func(f string) error { return os.WriteFile(f, make([]byte, 5000), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			opt := Options{SignEvery: 1000, Segment: 1500}
			l := open(t, dir, opt)
			appendN(t, l, 40)
			crash(l)
			must(t, spoil(filepath.Join(dir, "hashes")))
			l = open(t, dir, opt)
			appendN(t, l, 5)
			must(t, l.Close())
			if name != "wrong" { // there the rotations' checkpoints vouch for hashes that are gone for good
				sound(t, dir, 45)
			} else if r := verify(t, dir); r.Until != 45 {
				t.Errorf("%d records", r.Until)
			}
		})
	}
}

func TestKeyGone(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{})
	appendN(t, l, 3)
	must(t, l.Close())
	must(t, os.Remove(filepath.Join(dir, "key")))
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "restore the file key") {
		t.Errorf("Open without its key: %v", err)
	}
}

func TestKeyIsSecret(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, Options{})
	info, err := os.Stat(filepath.Join(dir, "key"))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode is %v", info.Mode())
	}
}

func TestExportAndPrune(t *testing.T) {
	dir := t.TempDir()
	opt := Options{SignEvery: 10, Segment: 3000, Keep: 9000}
	l := open(t, dir, opt)
	appendN(t, l, 100)
	room, err := l.Prune()
	must(t, err)
	if !room.Over || room.Exported != 0 {
		t.Errorf("room %+v; nothing was exported, so nothing may go", room)
	}
	sound(t, dir, 100)

	first := filepath.Join(t.TempDir(), "first")
	r, err := Export(dir, first)
	must(t, err)
	if r.Until != 100 {
		t.Errorf("exported up to %d", r.Until)
	}
	table, err := os.ReadFile(filepath.Join(first, "records.csv"))
	must(t, err)
	if n := bytes.Count(table, []byte{'\n'}); n != 101 {
		t.Errorf("%d lines in the table", n)
	}
	if _, err := Export(dir, first); err == nil {
		t.Error("an export was overwritten")
	}
	appendN(t, l, 20)
	if room, err = l.Prune(); err != nil || room.Over || room.Bytes > opt.Keep {
		t.Fatalf("room %+v, %v", room, err)
	}
	must(t, l.Close())
	r = sound(t, dir, 121)
	if r.From == 0 || r.From > 100 {
		t.Errorf("the records begin at %d", r.From)
	}
	l = open(t, dir, opt)
	second := filepath.Join(t.TempDir(), "second")
	if r, err = Export(dir, second); err != nil || r.From == 0 {
		t.Errorf("second export: %+v, %v", r, err)
	}
}

func TestClockMayGoBack(t *testing.T) {
	r := Record{Number: 3, At: time.Date(2026, 11, 24, 20, 0, 0, 0, time.UTC), Kind: "clock_step", Entry: ClockStep{BySeconds: -7200}}
	line, err := r.line()
	must(t, err)
	back, err := parse(line)
	must(t, err)
	if e := back.Entry.(*ClockStep); e.BySeconds != -7200 || !back.At.Equal(r.At) || back.Hash != r.Hash {
		t.Errorf("%s came back as %+v", line, back)
	}
}

func FuzzParse(f *testing.F) {
	r := Record{Kind: "stopped", Entry: Stopped{}}
	line, _ := r.line()
	f.Add(line)
	f.Add([]byte(`{"n":-1,"kind":"switchover","data":{"streams":null}}`))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, line []byte) {
		if r, err := parse(line); err == nil && r.Entry == nil {
			t.Error("a record without an entry")
		}
	})
}
