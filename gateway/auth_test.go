package gateway

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func form(v ...string) string {
	u := url.Values{}
	for i := 0; i+1 < len(v); i += 2 {
		u.Set(v[i], v[i+1])
	}
	return u.Encode()
}

const formType = "application/x-www-form-urlencoded"

func TestSignInByPassword(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		name, user, password string
		want                 int
	}{
		{"right", "ada", testPassword, 303},
		{"wrong password", "ada", "wrong horse battery", 401},
		{"unknown name", "nobody", testPassword, 401},
		{"a user without a password", "bob", "", 401},
		{"empty", "", "", 401},
		{"endless", "ada", strings.Repeat("x", 600), 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := browser(t)
			got := send(t, b, "POST", f.url+"/signin", formType, form("name", c.user, "password", c.password))
			if got.status != c.want {
				t.Fatalf("got %d, want %d", got.status, c.want)
			}
			in := send(t, b, "GET", f.url+"/api/v1/rooms", "", "").status == 200
			if in != (c.want == 303) {
				t.Errorf("signed in: %v", in)
			}
			if c.want == 303 {
				cookie := got.header.Get("Set-Cookie")
				for _, word := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
					if !strings.Contains(cookie, word) {
						t.Errorf("cookie lacks %s: %s", word, strings.SplitN(cookie, ";", 2)[1])
					}
				}
			}
		})
	}
	for _, secret := range []string{testPassword, "wrong horse", testHash()} {
		if strings.Contains(f.logs.String(), secret) {
			t.Errorf("the log holds a secret")
		}
	}
}

// Cookies are marked for TLS when they are set over it.
func TestCookieOverTLS(t *testing.T) {
	cfg, _ := testConfig(t)
	cfg.Listen, cfg.StateDir, cfg.Ports = "127.0.0.1:0", t.TempDir(), Ports{UDP: "127.0.0.1:0"}
	g := running(t, cfg)
	if g.Fingerprint() == "" {
		t.Error("no fingerprint")
	}
	b := browser(t)
	trust(b, t, filepath.Join(cfg.StateDir, ownCert))
	base := "https://" + g.Addr().String()
	code, err := g.SignInCode("ada")
	if err != nil {
		t.Fatal(err)
	}
	got := send(t, b, "POST", base+"/signin/once", formType, form("code", code))
	cookie := got.header.Get("Set-Cookie")
	if got.status != 303 || !strings.HasPrefix(cookie, secureCookie+"=") || !strings.Contains(cookie, "Secure") {
		t.Errorf("got %d, cookie marked %q", got.status, cookie[strings.Index(cookie, ";")+1:])
	}
	if got := send(t, b, "GET", base+"/api/v1/rooms", "", ""); got.status != 200 || !strings.Contains(got.body, g.Fingerprint()) {
		t.Errorf("rooms over TLS: %d", got.status)
	}
	again, err := New(cfg, nil)
	if err != nil || again.Fingerprint() != g.Fingerprint() {
		t.Errorf("a new start has another certificate (%v)", err)
	}
}

func TestOneTimeCode(t *testing.T) {
	f := newFixture(t)
	code, err := f.SignInCode("ada")
	if err != nil {
		t.Fatal(err)
	}
	// A program that looks at the link does not use it up.
	page := send(t, browser(t), "GET", f.url+"/signin/once?code="+code, "", "")
	if page.status != 200 || !strings.Contains(page.body, code) || page.header.Get("Set-Cookie") != "" {
		t.Errorf("looking at the link: %d, cookie %v", page.status, page.header.Get("Set-Cookie") != "")
	}
	if got := send(t, browser(t), "POST", f.url+"/signin/once", formType, form("code", code)); got.status != 303 {
		t.Errorf("first use: %d", got.status)
	}
	if got := send(t, browser(t), "POST", f.url+"/signin/once", formType, form("code", code)); got.status != 401 {
		t.Errorf("second use: %d", got.status)
	}
	for _, wrong := range []string{"", "x", strings.Repeat("x", 100), "../../etc/passwd"} {
		if got := send(t, browser(t), "POST", f.url+"/signin/once", formType, form("code", wrong)); got.status != 401 && got.status != 429 {
			t.Errorf("code %q: %d", wrong, got.status)
		}
	}
	if _, err := f.SignInCode("nobody"); err == nil {
		t.Error("a code for an unknown user")
	}
	if strings.Contains(f.logs.String(), code) {
		t.Error("the log holds the code")
	}
}

func TestCodes(t *testing.T) {
	dir := t.TempDir()
	c := newCodes(dir)
	now := time.Now()
	own, err := c.make("ada", now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.redeem(own, now.Add(codeLife+time.Second)); err == nil {
		t.Error("a code works after its time")
	}
	foreign, err := WriteSignInCode(dir, "bob")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{filepath.Join(dir, codesDir): 0o700, filepath.Join(dir, codesDir, codeKey(foreign)): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var in []string
	for range 8 { // all at once: one of them is let in
		wg.Go(func() {
			if user, err := c.redeem(foreign, time.Now()); err == nil {
				mu.Lock()
				in = append(in, user)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(in) != 1 || in[0] != "bob" {
		t.Errorf("let in: %v", in)
	}
	old, err := WriteSignInCode(dir, "bob")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.redeem(old, time.Now().Add(codeLife+time.Second)); err == nil {
		t.Error("a written code works after its time")
	}
	if _, err := WriteSignInCode(dir, "bob"); err != nil {
		t.Fatal(err)
	}
	c.sweep(time.Now().Add(3 * codeLife))
	if left, _ := os.ReadDir(filepath.Join(dir, codesDir)); len(left) != 0 {
		t.Errorf("%d old codes are left", len(left))
	}
}

func TestLimiter(t *testing.T) {
	l := newLimiter()
	now := time.Now()
	guess := newAttempt("192.0.2.1:1000", "ada")
	tries := 0
	for ; tries < 100 && l.wait(guess, now) == 0; tries++ {
	}
	if tries != failuresPerSource {
		t.Errorf("%d tries before the wait", tries)
	}
	if w := l.wait(guess, now); w <= 0 || w > firstWait {
		t.Errorf("first wait %v", w)
	}
	if w := l.wait(newAttempt("192.0.2.1:2000", "bob"), now); w == 0 {
		t.Error("another name gets round the wait")
	}
	if w := l.wait(newAttempt("198.51.100.9:1", "ada"), now); w != 0 {
		t.Errorf("the person is locked out elsewhere after few failures: %v", w)
	}
	if w := l.wait(guess, now.Add(firstWait)); w != 0 {
		t.Errorf("no try after the wait: %v", w)
	}
	if w := l.wait(guess, now.Add(firstWait)); w <= firstWait {
		t.Errorf("second wait %v is not longer", w)
	}
	// Many sources against one name.
	for i := range 60 {
		l.wait(newAttempt("203.0.113."+itoa(i)+":1", "cora"), now)
	}
	if w := l.wait(newAttempt("198.51.100.77:1", "cora"), now); w == 0 {
		t.Error("many sources guess without end")
	}
	l.succeeded(guess)
	if w := l.wait(guess, now); w != 0 {
		t.Errorf("after success: %v", w)
	}
	if sourceKey("[2001:db8::1]:1") != sourceKey("[2001:db8::ffff]:2") {
		t.Error("one IPv6 customer counts as many")
	}
	for i := range 3 * maxKeys {
		l.wait(newAttempt("10."+itoa(i>>16&255)+"."+itoa(i>>8&255)+"."+itoa(i&255)+":1", ""), now)
	}
	if len(l.keys) > maxKeys+2 {
		t.Errorf("%d keys are kept", len(l.keys))
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	f := newFixture(t)
	b := browser(t)
	var last reply
	for range failuresPerSource + 1 {
		last = send(t, b, "POST", f.url+"/signin/once", formType, form("code", "guess"))
	}
	if last.status != http.StatusTooManyRequests || last.header.Get("Retry-After") == "" {
		t.Errorf("got %d, Retry-After %q", last.status, last.header.Get("Retry-After"))
	}
	code, _ := f.SignInCode("ada")
	if got := send(t, b, "POST", f.url+"/signin/once", formType, form("code", code)); got.status != 429 {
		t.Errorf("a waiting source got in: %d", got.status)
	}
}

func TestSessionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ss := newSessions(defaultIdle)
		user := User{Name: "ada"}
		secret, s := ss.begin(user, time.Now())
		for range 20 {
			time.Sleep(defaultIdle - time.Second)
			if ss.find(secret, time.Now()) != s {
				t.Fatal("ended while in use")
			}
			s.touch(time.Now())
		}
		time.Sleep(defaultIdle)
		if ss.find(secret, time.Now()) != nil || !s.over() {
			t.Error("lives on without use")
		}
		secret, s = ss.begin(user, time.Now())
		for range 25 * 2 {
			time.Sleep(15 * time.Minute)
			s.touch(time.Now())
			ss.sweep(time.Now())
		}
		if !s.over() {
			t.Error("lives on after the working day")
		}
		secret, s = ss.begin(user, time.Now())
		ss.finish(secret)
		if !s.over() || ss.find(secret, time.Now()) != nil {
			t.Error("lives on after signing out")
		}
		_, first := ss.begin(user, time.Now())
		for range maxSessionsPerUser {
			time.Sleep(time.Second)
			ss.begin(user, time.Now())
		}
		if !first.over() || ss.len() != maxSessionsPerUser {
			t.Errorf("%d sessions, the first over: %v", ss.len(), first.over())
		}
	})
}

// A restart of the gateway asks nobody for a password; the file holds nothing that signs anybody in.
func TestSessionsOutliveARestart(t *testing.T) {
	cfg, _ := testConfig(t)
	path := filepath.Join(t.TempDir(), "state", sessionsFile)
	now := time.Now()
	users := func(cfg Config) func(string) (User, bool) { return (&door{users: cfg.Users}).user }
	before := newSessions(defaultIdle)
	ada, s := before.begin(cfg.Users[0], now)
	bob, _ := before.begin(cfg.Users[1], now)
	gone, _ := before.begin(cfg.Users[2], now)
	before.finish(gone)
	must(t, before.keep(path, now))
	text, err := os.ReadFile(path)
	must(t, err)
	if strings.Contains(string(text), ada) {
		t.Error("the file holds a cookie")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	cfg.Users = cfg.Users[:1]
	cfg.Users[0].Role = Observer
	after := newSessions(defaultIdle)
	must(t, after.restore(path, users(cfg), now.Add(time.Minute)))
	again := after.find(ada, now.Add(time.Minute))
	if again == nil || again.id != s.id || again.user.Role != Observer {
		t.Errorf("restored %+v", again)
	}
	if after.find(bob, now) != nil || after.find(gone, now) != nil {
		t.Error("restored who is no longer known, or had signed out")
	}
	late := newSessions(defaultIdle)
	must(t, late.restore(path, users(cfg), now.Add(defaultIdle)))
	if late.len() != 0 {
		t.Error("restored what had expired")
	}
	must(t, os.WriteFile(path, []byte("[{"), 0o600))
	if err := newSessions(defaultIdle).restore(path, users(cfg), now); err == nil {
		t.Error("a torn file was read")
	}
	must(t, newSessions(defaultIdle).restore(path+"x", users(cfg), now))
}

func TestSignOut(t *testing.T) {
	f := newFixture(t)
	ada := f.signedInAs(t, "ada")
	stream, err := ada.Get(f.url + "/api/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	if got := send(t, ada, "POST", f.url+"/signout", "", ""); got.status != 303 {
		t.Errorf("signing out: %d", got.status)
	}
	if got := send(t, ada, "GET", f.url+"/api/v1/rooms", "", ""); got.status != 401 {
		t.Errorf("after signing out: %d", got.status)
	}
	buf := make([]byte, 64<<10)
	var text strings.Builder
	for {
		n, err := stream.Body.Read(buf)
		text.Write(buf[:n])
		if err != nil {
			break // the stream ends by itself
		}
	}
	if !strings.Contains(text.String(), "event: signed-out") {
		t.Error("the event stream does not say that it is over")
	}
}

func TestPHC(t *testing.T) {
	good := testHash()
	p, err := parsePassword(good)
	if err != nil || !p.Matches(testPassword) || p.Matches("correct horse batter") {
		t.Fatalf("own hash: %v", err)
	}
	parts := strings.Split(good, "$")
	for name, bad := range map[string]string{
		"empty": "", "bcrypt": "$2a$10$abcdefghijklmnopqrstuu", "argon2i": strings.Replace(good, "argon2id", "argon2i", 1),
		"old version": strings.Replace(good, "v=19", "v=16", 1), "no cost": strings.Replace(good, "t=1", "t=0", 1),
		"all memory": strings.Replace(good, "m=19456", "m=99999999", 1), "cheap": strings.Replace(good, "m=19456", "m=8", 1),
		"cut": good[:len(good)-30], "short salt": strings.Replace(good, parts[4], "AAAA", 1), "not base64": strings.Replace(good, parts[4], "!!!!", 1),
	} {
		if _, err := parsePassword(bad); err == nil {
			t.Errorf("%s was taken", name)
		} else if len(bad) > 20 && strings.Contains(err.Error(), parts[5]) {
			t.Errorf("%s: the error repeats the hash", name)
		}
	}
	made, err := HashPassword(testPassword)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := parsePassword(made); err != nil || p.Cost != passwordCost() || !p.Matches(testPassword) {
		t.Errorf("HashPassword made %+v: %v", p, err)
	}
	if _, err := HashPassword("short"); err == nil {
		t.Error("a short password was taken")
	}
	// A hash by another tool (the argon2 reference program, "password", salt "somesaltsomesalt").
	if _, err := parsePassword("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"); err != nil {
		t.Errorf("another tool's hash: %v", err)
	}
}
