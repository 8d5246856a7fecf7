package access

import (
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What each role may do beyond the one before it; nobody may what is not written here.
func TestWhoMayWhat(t *testing.T) {
	want := map[Role]string{
		Nobody: "o", Scraper: "os", Screen: "ow", Viewer: "owv", BeforeBox: "owsvm",
		Technologist: "owsvqmptd", Technician: "owsvqmptdifxyzrb", SiteLead: "owsvqmptdifxyzrbauc", Auditor: "owsva",
	}
	letters := map[Right]string{
		Open: "o", Watch: "w", Scrape: "s", View: "v", Preview: "q", Mute: "m", Procedure: "p", Sound: "t", SelfTest: "d", Pin: "i", FarEnd: "f", Examine: "x",
		Impair: "y", Drill: "z", Devices: "r", Support: "b", Audit: "a", ChangeUsers: "u", Configure: "c",
	}
	if len(want) != int(roles) || len(letters) != int(rights) {
		t.Fatalf("%d roles and %d rights are tested, of %d and %d", len(want), len(letters), roles, rights)
	}
	for role, may := range want {
		for right, letter := range letters {
			if got := role.May(right); got != strings.Contains(may, letter) {
				t.Errorf("%v may do %v: %v", role, right, got)
			}
		}
	}
	if Role(200).May(Open) || Role(200).String() != "nobody" || Right(200).String() != "this" {
		t.Error("a role that does not exist has rights")
	}
	for right := range rights {
		if right.String() == "" || right > View && right != Audit && Auditor.May(right) {
			t.Errorf("%d %q: the auditor does nothing", right, right)
		}
	}
	if got := Pin.Who(); got != "a field technician or a site lead" {
		t.Errorf("who may pin: %s", got)
	}
	if got := View.Who(); got != "a technologist, a field technician, a site lead or an auditor" {
		t.Errorf("who may look: %s", got)
	}
}

func TestRoleText(t *testing.T) {
	for _, role := range People() {
		text, _ := role.MarshalText()
		var back Role
		if err := back.UnmarshalText(text); err != nil || back != role {
			t.Errorf("%s: %v, %v", text, back, err)
		}
	}
	for _, word := range []string{"", "nobody", "room", "Site lead", "screen"} {
		var r Role
		if err := r.UnmarshalText([]byte(word)); err == nil || slices.Contains(People(), r) {
			t.Errorf("%q is a person's role: %v", word, r)
		}
	}
}
