package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"scanside/access"
)

// The commands as somebody at the console types them, in a process of their own: the password comes from standard input, never as an argument.
func TestUserCommands(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "scanside.yaml")
	text := "site: mri-2\nfar_end: {url: \"http://127.0.0.1:9\", token_file: token}\nuplinks: [{name: primary, address: 127.0.0.2}]\nstate_dir: state\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	scanside := func(in string, words ...string) (string, bool) {
		t.Helper()
		cmd := exec.Command(os.Args[0], append(words, "--config", config)...)
		cmd.Env = append(os.Environ(), asProgram+"=1")
		cmd.Stdin = strings.NewReader(in)
		out, err := cmd.CombinedOutput()
		return string(out), err == nil
	}
	const password = "correct horse battery\n"
	for _, c := range []struct {
		in    string
		words []string
		ok    bool
		says  string
	}{
		{"", []string{"user", "list"}, true, "There are no users."},
		{"", []string{"user", "setup-code"}, true, "-"},
		{"short\n", []string{"user", "add", "ada", "site-lead"}, false, "use at least 15"},
		{"", []string{"user", "add", "ada", "site-lead"}, false, "read the password"},
		{password, []string{"user", "add", "ada", "boss"}, false, "is not a role"},
		{password, []string{"user", "add", "Ada", "site-lead"}, false, "is not a user's name"},
		{password, []string{"user", "add", "ada", "site-lead"}, true, "ada is a site lead of this box."},
		{password, []string{"user", "add", "tom", "technician"}, true, "tom is a field technician of this box."},
		{"", []string{"user", "setup-code"}, false, "has users already"},
		{"", []string{"user", "role", "tom", "auditor"}, true, "tom is an auditor"},
		{"another long password\n", []string{"user", "passwd", "tom"}, true, "tom has another password."},
		{"", []string{"user", "list"}, true, "tom  auditor"},
		{"", []string{"user", "remove", "ada"}, false, "last site lead"},
		{"", []string{"user", "remove", "tom"}, true, "no user of this box any more"},
		{"", []string{"certificate"}, false, "makes when it first runs with status.https"},
	} {
		if out, ok := scanside(c.in, c.words...); ok != c.ok || !strings.Contains(out, c.says) || strings.Contains(out, "horse") {
			t.Errorf("%v: %v, %q; want %v, %q", c.words, ok, out, c.ok, c.says)
		}
	}
	list, err := access.NewUsers(filepath.Join(dir, "state")).All()
	if err != nil || len(list) != 1 || list[0].Name != "ada" {
		t.Errorf("left: %+v, %v", list, err)
	}
}
