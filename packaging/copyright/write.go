package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// list says whose work is in the program, one paragraph each.
func list(program string, works []work) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `%s

Copyright: the scanside authors. All rights reserved; no licence to copy it is given beyond what your contract says.

It contains the work of others, each under its own licence. The licences in full are in licences.txt beside this file
(on Debian the Apache License is /usr/share/common-licenses/Apache-2.0 too).
`, program)
	for _, w := range works {
		if w.linked {
			continue
		}
		fmt.Fprintf(&b, "\n%s %s\nLicence: %s\n", w.name, w.version, w.licence)
		for _, line := range holders(w.text) {
			fmt.Fprintf(&b, "%s\n", line)
		}
	}
	first := true
	for _, w := range works {
		if !w.linked {
			continue
		}
		if first {
			fmt.Fprint(&b, "\nIt uses these libraries, which are not in this package. Each has a package of its own that says its licence:\n\n")
			first = false
		}
		fmt.Fprintf(&b, "%s (%s): /usr/share/doc/%s/copyright\n", w.name, w.version, w.name)
	}
	return b.Bytes()
}

// holders are the lines of a licence that say whose it is.
func holders(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		lower := strings.ToLower(line)
		if !strings.HasPrefix(lower, "copyright") || strings.Contains(line, "[yyyy]") || !strings.ContainsAny(line, "0123456789") && !strings.HasPrefix(lower, "copyright (c)") {
			continue
		}
		if !slices.Contains(all, line) {
			all = append(all, line)
		}
	}
	return all
}

// texts are the licences in full; works that share one word for word share it here.
func texts(works []work) []byte {
	var b bytes.Buffer
	for i, w := range works {
		same := func(o work) bool { return o.text == w.text }
		if slices.ContainsFunc(works[:i], same) {
			continue
		}
		for _, o := range works[i:] {
			if same(o) {
				fmt.Fprintf(&b, "%s %s\n", o.name, o.version)
			}
		}
		fmt.Fprintf(&b, "%s\n\n%s\n\n\n", strings.Repeat("-", 78), strings.TrimSpace(w.text))
	}
	return b.Bytes()
}
