package results

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Page makes the document out of what lies in the folder. note says what a reader must know of the machine, "" nothing.
func Page(folder, note string) string {
	all := map[string]printed{}
	for _, s := range Sources() {
		all[s.Name] = s.read(folder)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Results\n\nWritten by `make bench`; every figure by the command beside it. Machine: %s.\n", machine())
	if note != "" {
		fmt.Fprintf(&b, "%s\n", note)
	}
	b.WriteString("A time is to be read beside the reference of the same run; a count holds anywhere. \"In memory\" is virtual time and exact,\n" +
		"\"namespaces\" are the real programs on real clocks. Lab baseline: primary 20 ms round trip, cellular 60 ms.\n\n" +
		"## Ours\n\n| # | Target | Measured | Command |\n|---|---|---|---|\n")
	for _, r := range rows() {
		var said, commands []string
		for _, w := range r.what {
			p := all[w.source]
			said = append(said, w.tell(p))
			if c := "`" + p.taken.Make + "`"; len(commands) == 0 || commands[len(commands)-1] != c {
				commands = append(commands, c)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.id, r.target, strings.Join(said, "<br>"), cell(strings.Join(commands, "<br>")))
	}
	references(&b, all)
	runs(&b, all)
	return b.String()
}

// runs says how each command was run, for whoever doubts a figure.
func runs(b *strings.Builder, all map[string]printed) {
	b.WriteString("\n## The runs\n\nLoad is the machine's over the minute before. A command whose own expectations did not hold says so; its figures stand above all the same.\n\n" +
		"| Command | When | Took | Load | Ended |\n|---|---|---|---|---|\n")
	for _, s := range Sources() {
		t := all[s.Name].taken
		if t.When.IsZero() {
			continue
		}
		fmt.Fprintf(b, "| `%s` | %s | %.0f s | %s | %s |\n", cell(t.Make), t.When.Format("2006-01-02 15:04"), t.Seconds, t.Load, cell(cmp.Or(t.Ended, "well")))
	}
}

// cell is text that can stand in a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func references(b *strings.Builder, all map[string]printed) {
	fmt.Fprintf(b, "\n## Others, in the same run\n\nThe uplink in use turns into a black hole: the interface stays up, packets vanish, nobody is told. Voice-like stream,\n"+
		"one turn of ours, the median of %s of theirs; latency is what the method costs all the time. `make references`\n\n"+
		"| Who | Longest silence | Packets lost | Latency | Remark |\n|---|---|---|---|---|\n", all["references"].say("{turns}"))
	ours := func(p printed, who, remark string) {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", who, p.say("{voice.longest_gap_ms} ms"), p.say("{voice.lost}"), "the path's: no buffer", remark)
	}
	ours(all["blackhole-primary-netns"], "**scanside**, copies always", "video: "+all["blackhole-primary-netns"].say("{video.frames_lost} frames lost, longest freeze {video.longest_freeze_ms} ms"))
	ours(all["blackhole-primary-ondoubt-netns"], "**scanside**, copies on doubt", "video: "+all["blackhole-primary-ondoubt-netns"].say("{video.frames_lost} frames lost, longest freeze {video.longest_freeze_ms} ms"))
	p := all["references"]
	if p.why != "" {
		fmt.Fprintf(b, "| all others | not measured: %s | | | |\n", p.why)
	}
	for _, line := range p.lines {
		one := printed{lines: []map[string]any{line}}
		note, _ := line["note"].(string)
		if strings.HasPrefix(note, "not measured") {
			fmt.Fprintf(b, "| %v | %s | | | |\n", line["reference"], note)
			continue
		}
		latency := one.say("{steady_latency_ms} ms")
		if _, ok := one.value("steady_latency_ms"); !ok {
			latency = "not measured"
		}
		if dead, _ := one.value("turns_that_never_came_back"); dead > 0 {
			note = fmt.Sprintf("%.0f turns never came back; %s", dead, note)
		}
		fmt.Fprintf(b, "| %v | %s | %s | %s | %s |\n", line["reference"], one.say("{voice_gap_ms_p50} ms (worst {voice_gap_ms_max})"), one.say("{voice_lost_p50}"), latency, note)
	}
	b.WriteString("| SRT, two paths | not measured: Debian's libsrt is built without bonding | | | |\n\nWhere we lose: two sockets and nothing else are as good on a plain cut, and simpler; RIST's silence is shorter, because its\n" +
		"buffer of a fifth of a second is longer than the difference of the paths, and is paid for all the time.\n\n" +
		"A suite of stories (`make scenarios`) says where users would need more than they get: `owed` in lab/scenario/files.\n")
}

// machine is its class, without its name.
func machine() string {
	var u unix.Utsname
	kernel := "?"
	if unix.Uname(&u) == nil {
		kernel = unix.ByteSliceToString(u.Release[:])
	}
	model := "an unknown processor"
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d cores (%s), Linux %s, %s", runtime.NumCPU(), model, kernel, runtime.Version())
}
