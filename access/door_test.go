package access

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scanside/argon"
)

const good = "correct horse battery"

// recorder keeps what a door notes.
type recorder struct {
	mu  sync.Mutex
	all []Event
}

func (r *recorder) note(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, e)
}

func (r *recorder) whats() []What {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []What
	for _, e := range r.all {
		out = append(out, e.What)
	}
	r.all = nil
	return out
}

func newTestDoor(t *testing.T, users ...User) (*Door, *recorder) {
	t.Helper()
	dir, r := t.TempDir(), &recorder{}
	if len(users) > 0 {
		text, err := json.Marshal(usersOnDisk{usersVersion, users})
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, usersFile), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return NewDoor(Config{Dir: dir, Note: r.note}), r
}

// cheap is a user whose password takes little time to compare: the costs stand with the hash.
func cheap(name string, role Role) User {
	h, err := argon.New(good, argon.Cost{Memory: 19 << 10, Passes: 1, Lanes: 1})
	if err != nil {
		panic(err)
	}
	return User{Name: name, Role: role, Password: h.String(), Since: time.Unix(0, 0).UTC()}
}

// A box without users is set up once, with the code from its console; a wrong code, or one used twice, makes nobody.
func TestSetUp(t *testing.T) {
	d, r := newTestDoor(t)
	if empty, err := d.Empty(); !empty || err != nil {
		t.Fatal(empty, err)
	}
	if _, err := d.SignIn(t.Context(), "ada", good, here); !errors.Is(err, ErrNoUsers) {
		t.Errorf("sign in without users: %v", err)
	}
	code, err := SetupCode(d.cfg.Dir)
	if err != nil || len(plain(code)) != setupDigits {
		t.Fatalf("%q, %v", code, err)
	}
	if again, _ := SetupCode(d.cfg.Dir); again != code {
		t.Errorf("another code %q after %q: what stands on the console must stay right", again, code)
	}
	if info, err := os.Stat(filepath.Join(d.cfg.Dir, setupFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the code's file: %v, %v", info, err)
	}
	if _, err := d.SetUp(t.Context(), "0000-0000-0000-0000", "ada", good, here); !errors.Is(err, errSetupCode) {
		t.Errorf("a wrong code: %v", err)
	}
	for _, c := range []struct{ name, password, says string }{{"Ada!", good, "not a user's name"}, {"room", good, "another meaning"}, {"ada", "short", "at least 15"}} {
		if _, err := d.SetUp(t.Context(), code, c.name, c.password, here); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q %q: %v", c.name, c.password, err)
		}
	}
	secret, err := d.SetUp(t.Context(), strings.ToLower(strings.ReplaceAll(code, "-", " ")), "ada", good, here)
	if err != nil {
		t.Fatal(err)
	}
	if who, asleep, ok := d.Session(secret, true, time.Now()); !ok || asleep || who != (Person{"ada", SiteLead}) {
		t.Errorf("after setting up: %+v %v %v", who, asleep, ok)
	}
	if _, err := d.SetUp(t.Context(), code, "eve", good, here); err == nil {
		t.Error("the code worked twice")
	}
	if code, err := SetupCode(d.cfg.Dir); code != "" || err != nil {
		t.Errorf("a code when there are users: %q, %v", code, err)
	}
	if _, err := os.Stat(filepath.Join(d.cfg.Dir, setupFile)); err == nil {
		t.Error("the used code is still there")
	}
	if got := r.whats(); !slices.Equal(got, []What{Refused, FirstSiteLead, SignedIn}) {
		t.Errorf("noted %v", got)
	}
	if err := d.Look(time.Now()); err != nil {
		t.Fatal(err)
	}
	if got := r.whats(); !slices.Equal(got, []What{UserAdded}) {
		t.Errorf("the look noted %v", got)
	}
}

// Names, passwords, roles; what is done at the console holds at once and is recorded, also what was done while nobody looked.
func TestSignIn(t *testing.T) {
	d, r := newTestDoor(t, cheap("ada", SiteLead), cheap("bob", Technologist))
	for _, c := range []struct{ name, password string }{{"ada", "wrong"}, {"eve", good}, {"", ""}, {"ada", strings.Repeat("x", 1<<20)}, {strings.Repeat("n", 1<<20), good}} {
		if secret, err := d.SignIn(t.Context(), c.name, c.password, here); !errors.Is(err, ErrWrong) || secret != "" {
			t.Errorf("%.10q %.10q: %v", c.name, c.password, err)
		}
	}
	secret, err := d.SignIn(t.Context(), "bob", good, here)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	for _, e := range r.all {
		if e.User != "" && e.User != "ada" && e.User != "bob" {
			t.Errorf("a name that nobody has was noted: %q", e.User)
		}
	}
	r.mu.Unlock()
	if err := os.WriteFile(filepath.Join(d.cfg.Dir, setupFile), []byte("0000-0000-0000-0000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Look(time.Now()); err != nil {
		t.Fatal(err)
	}
	r.whats()
	if _, err := os.Stat(filepath.Join(d.cfg.Dir, setupFile)); err == nil {
		t.Error("the code of before there were users is still there")
	}
	users := NewUsers(d.cfg.Dir) // the console
	if err := users.SetRole("bob", Technician); err != nil {
		t.Fatal(err)
	}
	if who, _, ok := d.Session(secret, true, time.Now()); !ok || who.Role != Technician {
		t.Errorf("after another role: %+v %v", who, ok)
	}
	if err := users.SetPassword("bob", good+" staple"); err != nil {
		t.Fatal(err)
	}
	if _, _, ok := d.Session(secret, true, time.Now()); ok {
		t.Error("signed in by the old password")
	}
	if err := users.Remove("ada"); err == nil || !strings.Contains(err.Error(), "last site lead") {
		t.Errorf("removing the last site lead: %v", err)
	}
	if err := users.SetRole("ada", Auditor); err == nil {
		t.Error("the last site lead became an auditor")
	}
	if err := users.Remove("bob"); err != nil {
		t.Fatal(err)
	}
	if err := users.Remove("bob"); err == nil {
		t.Error("removed twice")
	}
	if err := users.Add("ada", Auditor, good, time.Now()); err == nil {
		t.Error("added twice")
	}
	again, r2 := NewDoor(Config{Dir: d.cfg.Dir}), &recorder{}
	again.cfg.Note = r2.note
	if err := again.Look(time.Now()); err != nil {
		t.Fatal(err)
	}
	if got := r2.whats(); !slices.Equal(got, []What{UserRemoved}) {
		t.Errorf("after a restart the look noted %v", got)
	}
}

// A file of users that is torn lets nobody in, says so, and is no box without users.
func TestTornUsers(t *testing.T) {
	d, _ := newTestDoor(t, cheap("ada", SiteLead))
	path := filepath.Join(d.cfg.Dir, usersFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := d.SignIn(t.Context(), "ada", good, here)
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{
		"cut": string(whole[:len(whole)/2]), "empty": "", "zeros": strings.Repeat("\x00", len(whole)), "not JSON": "hello", "behind it": string(whole) + "{}",
		"twice":       `{"version":1,"users":[` + one(t, "ada") + "," + one(t, "ada") + `]}`,
		"no role":     strings.Replace(string(whole), "site lead", "room", 1),
		"no hash":     strings.Replace(string(whole), "argon2id", "md5", 1),
		"costs":       strings.Replace(string(whole), "m=19456", "m=4000000", 1),
		"new version": strings.Replace(string(whole), `"version":1`, `"version":2`, 1),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := d.SignIn(t.Context(), "ada", good, here); err == nil || !strings.Contains(err.Error(), "cannot be believed") {
			t.Errorf("%s: sign-in: %v", what, err)
		}
		if _, _, ok := d.Session(secret, true, time.Now()); ok {
			t.Errorf("%s: a session goes on", what)
		}
		if empty, err := d.Empty(); empty || err == nil {
			t.Errorf("%s: a box without users: %v %v", what, empty, err)
		}
		if code, err := SetupCode(d.cfg.Dir); code != "" || err == nil {
			t.Errorf("%s: a setup code %q", what, code)
		}
		if err := d.Look(time.Now()); err == nil {
			t.Errorf("%s: the look says nothing", what)
		}
		if err := NewUsers(d.cfg.Dir).Add("eve", SiteLead, good, time.Now()); err == nil {
			t.Errorf("%s: written over", what)
		}
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, ok := d.Session(secret, true, time.Now()); !ok {
		t.Error("put back, and the session is gone")
	}
}

func one(t *testing.T, name string) string {
	t.Helper()
	text, err := json.Marshal(cheap(name, SiteLead))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Unused, a session may first only look, and then it is over; used, it lasts a working day.
func TestAutomaticLogoff(t *testing.T) {
	d, r := newTestDoor(t, cheap("ada", SiteLead))
	secret, err := d.SignIn(t.Context(), "ada", good, here)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	at := func(after time.Duration, use bool) (asleep, ok bool) {
		_, asleep, ok = d.Session(secret, use, start.Add(after))
		return asleep, ok
	}
	for after := 9 * time.Minute; after < longest; after += 9 * time.Minute {
		if asleep, ok := at(after, true); asleep || !ok {
			t.Fatalf("used every 9 minutes, after %v: asleep %v, there %v", after, asleep, ok)
		}
	}
	if _, ok := at(longest+time.Minute, true); ok {
		t.Error("longer than a working day")
	}
	if secret, err = d.SignIn(t.Context(), "ada", good, here); err != nil {
		t.Fatal(err)
	}
	start = time.Now()
	if asleep, ok := at(ActFor+time.Second, true); !asleep || !ok {
		t.Errorf("unused: asleep %v, there %v", asleep, ok)
	}
	if asleep, ok := at(ActFor+time.Minute, true); !asleep || !ok {
		t.Errorf("one who sleeps woke without a password: asleep %v, there %v", asleep, ok)
	}
	if _, ok := at(lookFor+time.Second, false); ok {
		t.Error("unused for an hour and still signed in")
	}
	r.whats()
	if err := d.Look(start.Add(lookFor + time.Minute)); err != nil {
		t.Fatal(err)
	}
	if got := r.whats(); !slices.Contains(got, LoggedOff) {
		t.Errorf("noted %v", got)
	}
}

// Sessions are bounded, and each sign-in has a secret of its own.
func TestSessionsAreBounded(t *testing.T) {
	var ss sessions
	now, seen := time.Now(), map[string]bool{}
	first, _ := ss.begin(User{Name: "ada"}, now)
	for i := range 3 * maxSessions {
		secret, _ := ss.begin(User{Name: "ada"}, now.Add(time.Duration(i)*time.Second))
		if seen[secret] || len(secret) < 40 {
			t.Fatal("a secret twice, or a short one")
		}
		seen[secret] = true
	}
	if len(ss.all) != maxSessions || ss.find(first, now) != nil {
		t.Errorf("%d sessions", len(ss.all))
	}
	for _, never := range []string{"", "x", strings.Repeat("x", 1<<20)} {
		if ss.find(never, now) != nil || ss.finish(never) != "" {
			t.Errorf("%.10q is somebody's", never)
		}
	}
}

// Tokens: each for its one purpose; one that cannot be read lets nobody in and says so.
func TestTokens(t *testing.T) {
	broken := error(nil)
	d := NewDoor(Config{
		ConsoleKey:  "console-key-console-key",
		ScrapeToken: func() (string, error) { return "scrape-token-scrape-token", broken },
		ScreenToken: func() (string, error) { return "screen-token-screen-token", nil },
	})
	for _, c := range []struct {
		token, as string
		want      Person
	}{
		{"console-key-console-key", "ada", Person{"console/ada", SiteLead}}, {"console-key-console-key", "<script>", Person{"console", SiteLead}},
		{"scrape-token-scrape-token", "ada", Person{Role: Scraper}}, {"screen-token-screen-token", "", Person{Role: Screen}},
		{"", "", Person{}}, {"scrape-token", "", Person{}},
	} {
		if got, err := d.Token(c.token, c.as); err != nil || got != c.want {
			t.Errorf("%q: %+v, %v", c.token, got, err)
		}
	}
	if err := d.SignInScreen("screen-token-screen-token", here); err != nil {
		t.Error(err)
	}
	if err := d.SignInScreen("scrape-token-scrape-token", here); !errors.Is(err, ErrWrong) {
		t.Errorf("the scraper's token opens the screen: %v", err)
	}
	broken = errors.New("permission denied")
	if got, err := d.Token("", ""); err == nil || got != (Person{}) {
		t.Errorf("a token that cannot be read: %+v, %v", got, err)
	}
	empty := NewDoor(Config{})
	if got, err := empty.Token("", ""); err != nil || got != (Person{}) {
		t.Errorf("no token at all lets %+v in", got)
	}
	if got := empty.Stranger(true); got.Role != BeforeBox {
		t.Errorf("who stands before the box is %+v", got)
	}
	if got := empty.Stranger(false); got.Role != Nobody {
		t.Errorf("who comes from elsewhere is %+v", got)
	}
}

// Sign-ins have their turn one by one and leave the processor alone in between; a flood is turned away.
func TestHasherRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher()
		var mu sync.Mutex
		var running, most, done, busy int
		start := time.Now()
		var all sync.WaitGroup
		for range 3 * hasherQueue {
			all.Go(func() {
				err := h.do(context.Background(), func() {
					mu.Lock()
					running++
					most = max(most, running)
					mu.Unlock()
					time.Sleep(100 * time.Millisecond)
					mu.Lock()
					running--
					mu.Unlock()
				})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					done++
				} else if errors.Is(err, ErrBusy) {
					busy++
				}
			})
		}
		all.Wait()
		if most != 1 || done != hasherQueue || busy != 2*hasherQueue {
			t.Errorf("%d at once, %d done, %d turned away", most, done, busy)
		}
		if took := time.Since(start); took < 2*hasherQueue*100*time.Millisecond-200*time.Millisecond {
			t.Errorf("%d took %v: no rest", done, took)
		}
		time.Sleep(time.Second)
	})
}

// What one comparison costs the box.
func BenchmarkPassword(b *testing.B) {
	h := argon.Blank(cost())
	b.ReportAllocs()
	for b.Loop() {
		h.Matches("somebody's guess")
	}
}

func FuzzUsers(f *testing.F) {
	f.Add([]byte(`{"version":1,"users":[]}`))
	text, _ := json.Marshal(usersOnDisk{usersVersion, []User{cheap("ada", SiteLead)}})
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := parseUsers(text)
		if err != nil && list != nil {
			t.Error("users of a file that is wrong")
		}
		for _, u := range list {
			if checkName(u.Name) != nil || !slices.Contains(People(), u.Role) {
				t.Errorf("%+v", u)
			}
		}
	})
}

func TestSources(t *testing.T) {
	for from, want := range map[netip.Addr]string{
		{}: "source unknown", here: "source 192.0.2.7/32", netip.MustParseAddr("::ffff:192.0.2.7"): "source 192.0.2.7/32",
		netip.MustParseAddr("fe80::1%eth0"): "source fe80::/64",
	} {
		if got := source(from); got != want {
			t.Errorf("%v is %q, want %q", from, got, want)
		}
	}
}
