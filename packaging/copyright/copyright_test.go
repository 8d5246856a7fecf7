package main

import (
	"bytes"
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Every module that the built programs contain is in the list with a licence and in the texts in full.
func TestNothingIsMissing(t *testing.T) {
	for _, name := range []string{"scanside", "scanside-gateway"} {
		program := filepath.Join("..", "..", "build", name)
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			t.Skipf("SKIPPED, LOUDLY: %v; make build makes it", err)
		}
		if _, err := exec.LookPath("dpkg-query"); err != nil {
			t.Skip("SKIPPED, LOUDLY: no dpkg-query here; packages are made on Debian")
		}
		dir := t.TempDir()
		works, err := worksIn(program)
		if err != nil {
			t.Fatal(err)
		}
		if err := write(dir, name, works); err != nil {
			t.Fatal(err)
		}
		list, _ := os.ReadFile(filepath.Join(dir, "copyright"))
		texts, _ := os.ReadFile(filepath.Join(dir, "licences.txt"))
		for _, m := range info.Deps {
			line := []byte(m.Path + " " + m.Version + "\n")
			if !bytes.Contains(list, append(line, "Licence: "...)) {
				t.Errorf("%s: %s is not in the list with its licence", name, m.Path)
			}
			if !bytes.Contains(texts, line) {
				t.Errorf("%s: the licence of %s is not in the texts", name, m.Path)
			}
		}
	}
}

func TestIdentify(t *testing.T) {
	for text, want := range map[string]string{
		"MIT License\n\nPermission is hereby granted,\nfree of charge, to any person": "MIT",
		"Apache License\n   Version 2.0, January 2004":                                "Apache-2.0",
		"Redistribution and use in source\nand binary forms … Neither the name of":    "BSD-3-Clause",
		"Redistribution and use in source and binary forms, with or without":          "BSD-2-Clause",
		"GNU GENERAL PUBLIC LICENSE Version 3":                                        "",
		"All rights reserved.":                                                        "",
	} {
		if got := identify(text); got != want {
			t.Errorf("%q: %q, want %q", strings.SplitN(text, "\n", 2)[0], got, want)
		}
	}
}

// A module without a licence, or with one that nobody has read, stops the package.
func TestUnknownLicence(t *testing.T) {
	dir := t.TempDir()
	w := work{name: "example.org/m", version: "v1"}
	if err := w.licensed(dir); err == nil || !strings.Contains(err.Error(), "has no licence") {
		t.Errorf("none: %v", err)
	}
	os.WriteFile(filepath.Join(dir, "LICENSE.md"), []byte("ask us"), 0o600)
	if err := w.licensed(dir); err == nil || !strings.Contains(err.Error(), "does not know") {
		t.Errorf("unknown: %v", err)
	}
}
