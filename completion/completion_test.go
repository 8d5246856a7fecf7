package completion

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

type cli struct {
	Run struct {
		Config string `placeholder:"FILE" help:"What to do."`
		Long   bool   `help:"It's long."`
	} `cmd:"" help:"Run it."`
	Audit struct {
		Export struct{} `cmd:"" help:"Export it."`
	} `cmd:"" help:"The log."`
	Secret     struct{} `cmd:"" hidden:""`
	Completion Command  `cmd:"" help:"Completion."`
}

func script(t *testing.T, shell string) string {
	t.Helper()
	var c cli
	k, err := kong.New(&c, kong.Name("the-program"))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Write(&b, k.Model, shell); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "the-program."+shell)
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// What a person types, the last word unfinished, and what the shell offers.
func lines() []struct {
	line []string
	want string
} {
	return []struct {
		line []string
		want string
	}{
		{[]string{""}, "audit completion run"},
		{[]string{"ru"}, "run"},
		{[]string{"audit", ""}, "export"},
		{[]string{"run", "--"}, "--config --help --long"},
		{[]string{"completion", ""}, "bash fish zsh"},
	}
}

func compare(t *testing.T, shell string, line []string, out []byte, err error, want string) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v: %s", shell, err, out)
	}
	got := strings.Fields(string(out))
	slices.Sort(got)
	if strings.Join(got, " ") != want {
		t.Errorf("%s, %q: offers %q, want %q", shell, line, got, want)
	}
}

func TestBash(t *testing.T) {
	file := script(t, "bash")
	for _, c := range lines() {
		words := append([]string{"the-program"}, c.line...)
		args := append([]string{"-c", `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _the_program; printf '%s\n' "${COMPREPLY[@]}"`, file}, words...)
		out, err := exec.Command("bash", args...).CombinedOutput()
		compare(t, "bash", c.line, out, err, c.want)
	}
}

func TestFish(t *testing.T) {
	if _, err := exec.LookPath("fish"); err != nil {
		t.Skip("SKIPPED, LOUDLY: there is no fish here")
	}
	file := script(t, "fish")
	for _, c := range lines() {
		out, err := exec.Command("fish", "--no-config", "-c", `source $argv[1]; complete -C $argv[2] | string split -f1 \t | string match -v -- -h`,
			file, "the-program "+strings.Join(c.line, " ")).CombinedOutput()
		compare(t, "fish", c.line, out, err, c.want)
	}
}

// zsh completes only for a person at a terminal; here its words of completion are functions that print what they are given.
func TestZsh(t *testing.T) {
	if _, err := exec.LookPath("zsh"); err != nil {
		t.Skip("SKIPPED, LOUDLY: there is no zsh here")
	}
	file := script(t, "zsh")
	for _, c := range lines() {
		args := append([]string{"-f", "-c", `compadd() { shift; print -l -- "$@" }; _files() {}
complete_it() { local file=$1; shift; local -a words=(the-program "$@"); local CURRENT=$#words PREFIX=$words[-1]; source $file; }
complete_it "$@"`, "zsh", file}, c.line...)
		out, err := exec.Command("zsh", args...).CombinedOutput()
		if last := c.line[len(c.line)-1]; last != "" && err == nil { // compadd itself keeps what begins like the word
			var kept []string
			for _, w := range strings.Fields(string(out)) {
				if strings.HasPrefix(w, last) {
					kept = append(kept, w)
				}
			}
			out = []byte(strings.Join(kept, "\n"))
		}
		compare(t, "zsh", c.line, out, err, c.want)
	}
}
