package main

import (
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// work is somebody's work that a program contains or opens.
type work struct {
	name, version string
	licence       string // SPDX's word for it; "": see the text
	text          string
	linked        bool // its own package brings it
}

// worksIn reads what the program says of itself: Go writes every module into it (go version -m), and the linker the C
// libraries. The order is that of the program, which is sorted.
func worksIn(program string) ([]work, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("reading what %s was built from: %w", program, err)
	}
	root, err := goSays("env", "GOROOT")
	if err != nil {
		return nil, err
	}
	all := []work{{name: "Go's standard library and run time", version: info.GoVersion}}
	if err := all[0].licensed(root); err != nil {
		return nil, err
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		dir, err := goSays("mod", "download", "-json", m.Path+"@"+m.Version)
		if err != nil {
			return nil, err
		}
		w := work{name: m.Path, version: m.Version}
		if err := w.licensed(field(dir, "Dir")); err != nil {
			return nil, err
		}
		all = append(all, w)
		if m.Path == "github.com/gen2brain/malgo" {
			inside, err := miniaudio(field(dir, "Dir"))
			if err != nil {
				return nil, err
			}
			all = append(all, inside)
		}
	}
	libraries, err := librariesOf(program)
	return append(all, libraries...), err
}

func goSays(args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, exit.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}

// field is the string value of a key in go's JSON, one key a line.
func field(json, key string) string {
	_, after, _ := strings.Cut(json, `"`+key+`": "`)
	value, _, _ := strings.Cut(after, `"`)
	return value
}

// licensed reads the licence in a module's folder.
func (w *work) licensed(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("%s %s: looking for its licence: %w", w.name, w.version, err)
	}
	for _, e := range entries {
		name := strings.ToUpper(e.Name())
		if e.IsDir() || !slices.ContainsFunc([]string{"LICENSE", "LICENCE", "COPYING", "NOTICE"}, func(p string) bool { return strings.HasPrefix(name, p) }) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return fmt.Errorf("%s %s: reading its licence: %w", w.name, w.version, err)
		}
		if !strings.HasPrefix(name, "NOTICE") {
			w.licence = identify(string(text))
		}
		w.text += strings.TrimSpace(string(text)) + "\n"
	}
	switch {
	case w.text == "":
		return fmt.Errorf("%s %s has no licence: nobody may pass it on", w.name, w.version)
	case w.licence == "":
		return fmt.Errorf("%s %s has a licence that this command does not know: read it, and add it to identify if it may be passed on", w.name, w.version)
	}
	return nil
}

// identify names a licence by a sentence that only it has. Those that ask for the program's own source are not here on purpose.
func identify(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	has := func(s string) bool { return strings.Contains(text, s) }
	switch {
	case has("Apache License") && has("Version 2.0"):
		return "Apache-2.0"
	case has("Permission is hereby granted, free of charge"):
		return "MIT"
	case has("Redistribution and use in source and binary forms") && (has("Neither the name") || has("names of its contributors may")):
		return "BSD-3-Clause"
	case has("Redistribution and use in source and binary forms"):
		return "BSD-2-Clause"
	case has("Permission to use, copy, modify, and/or distribute"):
		return "ISC"
	case has("This software is provided 'as-is', without any express or implied warranty") && has("must not be misrepresented as being the original software"):
		return "Zlib"
	case has("This is free and unencumbered software released into the public domain"):
		return "Unlicense"
	}
	return ""
}

// miniaudio is compiled into malgo, and says at its end under which licence.
func miniaudio(malgo string) (work, error) {
	text, err := os.ReadFile(filepath.Join(malgo, "miniaudio.h"))
	if err != nil {
		return work{}, fmt.Errorf("looking for miniaudio's licence: %w", err)
	}
	const begin = "This software is available as a choice of the following licenses"
	at := strings.LastIndex(string(text), begin)
	if at < 0 {
		return work{}, errors.New("miniaudio.h does not end with its licence any more")
	}
	w := work{name: "miniaudio (in github.com/gen2brain/malgo)", licence: "Unlicense or MIT-0", text: strings.TrimSuffix(strings.TrimSpace(string(text[at:])), "*/")}
	_, w.version, _ = strings.Cut(string(text), "miniaudio - ")
	w.version, _, _ = strings.Cut(w.version, " ")
	return w, nil
}

// opened are C libraries that no linker knows of: miniaudio opens ALSA's when it runs.
func opened() []string { return []string{"libasound.so.2"} }

// librariesOf are the C libraries that the program is linked to, by the packages that bring them.
func librariesOf(program string) ([]work, error) {
	f, err := elf.Open(program)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", program, err)
	}
	defer f.Close()
	needed, err := f.ImportedLibraries()
	if err != nil || len(needed) == 0 {
		return nil, err
	}
	var all []work
	for _, library := range append(needed, opened()...) {
		w, err := libraryNamed(library)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(all, func(o work) bool { return o.name == w.name }) {
			all = append(all, w)
		}
	}
	return all, nil
}

// libraryNamed finds a library's package on this machine; the packages of another architecture have the same names.
func libraryNamed(name string) (work, error) {
	if strings.HasPrefix(name, "ld-linux") {
		name = "libc.so.6"
	}
	out, err := exec.Command("dpkg-query", "-S", "*/lib/*-linux-gnu/"+name).Output()
	owner, _, found := strings.Cut(string(out), ":")
	if err != nil || !found {
		return work{}, fmt.Errorf("no Debian package on this machine brings %s: its licence is not known (%w)", name, err)
	}
	text, err := os.ReadFile(filepath.Join("/usr/share/doc", owner, "copyright"))
	if err != nil {
		return work{}, fmt.Errorf("%s: reading its licence: %w", owner, err)
	}
	return work{name: owner, version: name, text: string(text), linked: true}, nil
}
