package status

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"scanside/access"
)

// everyRoute is the table that people agreed on, beside the one the program has: a route, and who is let through. A new route needs a line in both.
var everyRoute = []struct {
	pattern, path string
	let           string // of the roles below, in their order
}{
	// n nobody, s scraper, k kiosk, v viewer, b before the box, t technologist, f field technician, l site lead, a auditor
	{"GET /healthz", "/healthz", "nskvbtfla"},
	{"GET /assets/{file}", "/assets/status.css", "nskvbtfla"},
	{"GET /signin", "/signin", "nskvbtfla"},
	{"POST /signin", "/signin", "nskvbtfla"},
	{"POST /signin/first", "/signin/first", "nskvbtfla"},
	{"POST /signout", "/signout", "nskvbtfla"},
	{"GET /{$}", "/", "vbtfla"},
	{"GET /events/status", "/events/status", "vbtfla"},
	{"GET /api/v1/status", "/api/v1/status", "vbtfla"},
	{"GET /api/v1/events", "/api/v1/events", "vbtfla"},
	{"GET /api/v1/selftest", "/api/v1/selftest", "vbtfla"},
	{"GET /api/v1/levels", "/api/v1/levels", "vbtfla"},
	{"GET /address.svg", "/address.svg", "vbtfla"},
	{"GET /support", "/support", "fl"},
	{"POST /api/v1/support-bundle", "/api/v1/support-bundle", "fl"},
	{"GET /api/v1/support-bundle/{id}", "/api/v1/support-bundle/1", "fl"},
	{"GET /api/v1/history", "/api/v1/history", "vbtfla"},
	{"POST /api/v1/preview/whep", "/api/v1/preview/whep", "tfl"},
	{"OPTIONS /api/v1/preview/whep", "/api/v1/preview/whep", "tfl"},
	{"PATCH /api/v1/preview/session/{id}", "/api/v1/preview/session/1", "tfl"},
	{"DELETE /api/v1/preview/session/{id}", "/api/v1/preview/session/1", "tfl"},
	{"OPTIONS /api/v1/preview/session/{id}", "/api/v1/preview/session/1", "tfl"},
	{"GET /api/v1/doctor", "/api/v1/doctor", "vbtfla"},
	{"GET /api/v1/drill", "/api/v1/drill", "vbtfla"},
	{"GET /installation", "/installation", "vbtfla"},
	{"GET /events/installation", "/events/installation", "vbtfla"},
	{"GET /installation/report", "/installation/report", "vbtfla"},
	{"GET /api/v1/installation", "/api/v1/installation", "vbtfla"},
	{"GET /metrics", "/metrics", "sbtfla"},
	{"GET /room", "/room", "kvbtfla"},
	{"GET /events/room", "/events/room", "kvbtfla"},
	{"POST /room/whep", "/room/whep", "kvbtfla"},
	{"OPTIONS /room/whep", "/room/whep", "kvbtfla"},
	{"PATCH /room/session/{id}", "/room/session/1", "kvbtfla"},
	{"DELETE /room/session/{id}", "/room/session/1", "kvbtfla"},
	{"OPTIONS /room/session/{id}", "/room/session/1", "kvbtfla"},
	{"POST /api/v1/mute", "/api/v1/mute", "btfl"},
	{"POST /api/v1/procedure", "/api/v1/procedure", "tfl"},
	{"POST /api/v1/loudspeaker/{what}", "/api/v1/loudspeaker/tone", "tfl"},
	{"POST /api/v1/selftest", "/api/v1/selftest", "tfl"},
	{"POST /api/v1/pin", "/api/v1/pin", "fl"},
	{"POST /api/v1/far-end", "/api/v1/far-end", "fl"},
	{"POST /api/v1/examine", "/api/v1/examine", "fl"},
	{"POST /api/v1/doctor", "/api/v1/doctor", "fl"},
	{"POST /api/v1/drill", "/api/v1/drill", "fl"},
	{"POST /api/v1/installation", "/api/v1/installation", "fl"},
	{"POST /api/v1/demo/{uplink}/{what}", "/api/v1/demo/primary/cut", "fl"},
}

var roleLetters = map[access.Role]string{
	access.Nobody: "n", access.Scraper: "s", access.Screen: "k", access.Viewer: "v", access.BeforeBox: "b",
	access.Technologist: "t", access.Technician: "f", access.SiteLead: "l", access.Auditor: "a",
}

// Every route, as every role, by every method: let through, told to sign in, told whose task it is, or not served that way.
func TestEveryRoute(t *testing.T) {
	var role access.Role
	b := newBox(healthy(time.Now()))
	s := server(t, b, Config{person: func(*http.Request) access.Person {
		if role == access.Nobody {
			return access.Person{}
		}
		return access.Person{Name: "ada", Role: role}
	}})
	table := s.routes()
	served := map[string][]string{} // by path: methods
	for i := range table {
		at := slices.IndexFunc(everyRoute, func(e struct{ pattern, path, let string }) bool { return e.pattern == table[i].pattern })
		if at < 0 {
			t.Fatalf("%q is in the program's table and not in this one: say here who may use it", table[i].pattern)
		}
		method, _, _ := strings.Cut(table[i].pattern, " ")
		served[everyRoute[at].path] = append(served[everyRoute[at].path], method)
		pattern := table[i].pattern
		table[i].serve = func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "through %s as %s", pattern, by(r)) }
	}
	if len(table) != len(everyRoute) {
		t.Fatalf("%d routes are served, %d are in this table", len(table), len(everyRoute))
	}
	mux := s.mux(table)
	for _, e := range everyRoute {
		right, _, _ := strings.Cut(e.pattern, " ")
		for letter := range access.Auditor + 1 {
			role = letter
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
				w := httptest.NewRecorder()
				r := httptest.NewRequest(method, e.path, strings.NewReader("{}"))
				mux.ServeHTTP(w, r)
				want, through := http.StatusMethodNotAllowed, strings.HasPrefix(w.Body.String(), "through ")
				known := slices.Contains(served[e.path], method) || method == "HEAD" && slices.Contains(served[e.path], "GET")
				switch {
				case method == right || method == "HEAD" && right == "GET":
					want = http.StatusForbidden
					if role == access.Nobody {
						want = http.StatusUnauthorized
					}
					if strings.Contains(e.let, roleLetters[role]) {
						want = http.StatusOK
					}
				case known: // another line of the table
					continue
				}
				if w.Code != want || through != (want == http.StatusOK) {
					t.Errorf("%s %s as %v: %d, through: %v; want %d; %.200s", method, e.path, role, w.Code, through, want, w.Body)
				}
			}
		}
	}
}

// Nothing is served past the table: no other file registers a pattern.
func TestOneTable(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	registers := regexp.MustCompile(`\.(Handle|HandleFunc)\(|NewServeMux\(`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(registers.FindAll(text, -1)); n > 0 && file != "routes.go" && !strings.HasSuffix(file, "_test.go") {
			t.Errorf("%s registers %d routes; put them into the table of routes.go", file, n)
		}
	}
}

// Who may not is told whose task it is; who is not signed in, to sign in.
func TestRefusalsSayWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		who  access.Person
		code int
		says string
	}{
		{access.Person{}, http.StatusUnauthorized, "Holding everything on one uplink needs a field technician or a site lead. Sign in first."},
		{access.Person{Name: "ada", Role: access.Technologist}, http.StatusForbidden, "You are signed in as ada (technologist); holding everything on one uplink needs a field technician or a site lead."},
	} {
		s := server(t, newBox(healthy(time.Now())), Config{person: func(*http.Request) access.Person { return c.who }})
		run(t, s, []request{{c.who.By(), "POST", "/api/v1/pin", nil, "", c.code, c.says}})
	}
}
