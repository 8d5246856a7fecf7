// Package completion writes what shells need to complete a program's command line: made from the table of commands that the
// program itself parses with, so that the two cannot say different things.
package completion

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// Command is `PROGRAM completion SHELL`.
type Command struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints the script.
func (c *Command) Run(k *kong.Context) error { return Write(os.Stdout, k.Model, c.Shell) }

// Write writes the script of a shell: bash, zsh or fish.
func Write(w io.Writer, app *kong.Application, shell string) error {
	write, known := map[string]func(io.Writer, string, []command) error{"bash": bash, "zsh": zsh, "fish": fish}[shell]
	if !known {
		return fmt.Errorf("no completion for the shell %q: bash, zsh or fish", shell)
	}
	return write(w, app.Name, commands(app.Node, ""))
}

// command is a row of the table: the program itself (path "") or a command below it, in the order of the help.
type command struct {
	path  string // "audit export"
	below []word
	flags []word
}

type word struct {
	text, help string
	value      bool // a flag with a value
}

func commands(n *kong.Node, path string) []command {
	c := command{path: path}
	for _, level := range n.AllFlags(true) {
		for _, f := range level {
			c.flags = append(c.flags, word{"--" + f.Name, f.Help, !f.IsBool() || f.IsCounter()})
		}
	}
	var all []command
	for _, child := range n.Children {
		if child.Type != kong.CommandNode || child.Hidden {
			continue
		}
		c.below = append(c.below, word{text: child.Name, help: child.Help})
		all = append(all, commands(child, strings.TrimSpace(path+" "+child.Name))...)
	}
	for _, p := range n.Positional {
		if p.Enum != "" {
			for name := range strings.SplitSeq(p.Enum, ",") {
				c.below = append(c.below, word{text: strings.TrimSpace(name), help: p.Help})
			}
		}
	}
	return append([]command{c}, all...)
}

func texts(words []word) string {
	var all []string
	for _, w := range words {
		all = append(all, w.text)
	}
	return strings.Join(all, " ")
}

// function is a program's name as a shell function may be called.
func function(program string) string { return "_" + strings.ReplaceAll(program, "-", "_") }

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// walk is the loop that bash and zsh share: it finds out which command the words before the cursor name.
func walk(commands []command) string {
	var paths []string
	for _, c := range commands {
		if c.path != "" {
			paths = append(paths, quote(c.path))
		}
	}
	return fmt.Sprintf(`		case "${at:+$at }$word" in
		%s) at="${at:+$at }$word" ;;
		esac
`, strings.Join(paths, " | "))
}

func table(commands []command) string {
	var b strings.Builder
	for _, c := range commands {
		fmt.Fprintf(&b, "\t%s) words=%s flags=%s ;;\n", quote(c.path), quote(texts(c.below)), quote(texts(c.flags)))
	}
	return b.String()
}

func bash(w io.Writer, program string, commands []command) error {
	_, err := fmt.Fprintf(w, `# bash completion of %[1]s; made by: %[1]s completion bash
%[2]s() {
	local current="${COMP_WORDS[COMP_CWORD]}" at='' word words='' flags=''
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
%[3]s	done
	case "$at" in
%[4]s	esac
	if [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$current")
	else
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
		[[ ${#COMPREPLY[@]} -gt 0 ]] || mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}
complete -o filenames -F %[2]s %[1]s
`, program, function(program), walk(commands), table(commands))
	return err
}

func zsh(w io.Writer, program string, commands []command) error {
	_, err := fmt.Fprintf(w, `#compdef %[1]s
# zsh completion of %[1]s; made by: %[1]s completion zsh
local at='' word words_here flags
`+"local -a before=(${words[2,CURRENT-1]})\n"+`for word in $before; do
%[2]sdone
case "$at" in
%[3]sesac
if [[ $PREFIX == -* ]]; then
	compadd -- ${=flags}
elif [[ -n $words_here && ${words[CURRENT-1]} != --* ]]; then
	compadd -- ${=words_here}
else
	_files
fi
`, program, walk(commands), strings.ReplaceAll(table(commands), " words=", " words_here="))
	return err
}

func fish(w io.Writer, program string, commands []command) error {
	var b strings.Builder
	at := "_" + function(program) + "_at"
	fmt.Fprintf(&b, `# fish completion of %[1]s; made by: %[1]s completion fish
function %[2]s
	set -l path
	for word in (commandline -opc)[2..]
		switch "$path $word"
`, program, at)
	for _, c := range commands {
		if c.path != "" {
			fmt.Fprintf(&b, "\t\t\tcase %s\n\t\t\t\tset path %s\n", quote(" "+c.path), quote(" "+c.path))
		}
	}
	fmt.Fprintf(&b, `		end
	end
	test "$path" = "$argv[1]"
end
`)
	for _, c := range commands {
		here := c.path
		if here != "" {
			here = " " + here
		}
		when := quote(at + " " + quote(here))
		for _, x := range c.below {
			fmt.Fprintf(&b, "complete -c %s -f -n %s -a %s -d %s\n", program, when, x.text, quote(x.help))
		}
		for _, x := range c.flags {
			more := ""
			if x.value {
				more = " -r"
			}
			fmt.Fprintf(&b, "complete -c %s -n %s -l %s%s -d %s\n", program, when, strings.TrimPrefix(x.text, "--"), more, quote(x.help))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
