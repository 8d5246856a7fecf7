package access

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"scanside/argon"
)

// Door decides who comes in: people by name and password and then by their browser's session, programs by tokens. Safe for
// concurrent use.
type Door struct {
	cfg    Config
	users  *Users
	hasher *hasher

	mu       sync.Mutex
	lock     lockout
	sessions sessions
	known    []User // as last recorded
}

// Config is what a Door is told. Its zero value lets in nobody but whoever uses the box itself, to look.
type Config struct {
	Dir         string                 // the state directory, with the file of users; "": there are none
	ScreenToken func() (string, error) // of the room's screen on another machine; nil: there is none
	ScrapeToken func() (string, error) // of whoever reads the metrics from another machine; nil: nobody does
	ConsoleKey  string                 // by which commands on the box speak to it; "": none do
	Here        Person                 // who a request of this machine is taken for before it signs in; a role of Nobody: BeforeBox
	Elsewhere   Role                   // likewise for other machines: Nobody or Viewer
	Note        func(Event)            // may be nil
}

// Event is something that the audit log keeps. All its words come from closed lists.
type Event struct {
	What   What
	User   string // a user's name; "": one that the box does not know, which is not written down, for people type passwords into the wrong field
	Role   Role
	Source netip.Addr
}

// What happened at the door.
type What string

// The closed list.
const (
	SignedIn      What = "signed-in"
	Refused       What = "refused"    // wrong name, password or code
	LockedOut     What = "locked-out" // too many of those
	SignedOut     What = "signed-out" // by its user
	LoggedOff     What = "logged-off" // unused for too long
	UserAdded     What = "added"
	UserRemoved   What = "removed"
	RoleChanged   What = "role"
	NewPassword   What = "password"
	FirstSiteLead What = "first-site-lead" // by the setup code
)

// NewDoor builds a door. Look must be called now and then.
func NewDoor(cfg Config) *Door {
	if cfg.Note == nil {
		cfg.Note = func(Event) {}
	}
	if cfg.Here.Role == Nobody {
		cfg.Here = Person{Role: BeforeBox}
	}
	return &Door{cfg: cfg, users: NewUsers(cfg.Dir), hasher: newHasher()}
}

var (
	// ErrWrong is the one answer to every name and password that do not belong together.
	ErrWrong = errors.New("name or password is wrong")
	// ErrNoUsers is the answer of a box that has no users yet.
	ErrNoUsers = errors.New("this box has no users yet: make its first site lead with the setup code")
)

// Locked is the answer to too many tries.
type Locked struct{ Wait time.Duration }

func (l *Locked) Error() string {
	return fmt.Sprintf("too many tries: wait %d s, then try again", int(l.Wait.Seconds())+1)
}

// Empty says whether the box has no users yet; an error that it cannot know.
func (d *Door) Empty() (bool, error) {
	list, err := d.users.All()
	return err == nil && len(list) == 0 && d.cfg.Dir != "", err
}

// SignIn compares a user's name and password, and returns the secret of a new session.
func (d *Door) SignIn(ctx context.Context, name, password string, from netip.Addr) (secret string, err error) {
	list, err := d.users.All()
	if err != nil {
		return "", err
	}
	switch {
	case d.cfg.Dir == "":
		return "", errNoState
	case len(list) == 0:
		return "", ErrNoUsers
	}
	user, h := User{}, argon.Blank(cost())
	if at := indexOf(list, name); at >= 0 {
		user = list[at]
		h, _ = parseHash(user.Password) // checked when it was read
	}
	if err := d.try(from, name, user); err != nil {
		return "", err
	}
	right := false
	if err := d.hasher.do(ctx, func() { right = h.Matches(password) }); err != nil {
		return "", err
	}
	if !right || user.Name == "" {
		d.cfg.Note(Event{Refused, user.Name, user.Role, from})
		return "", ErrWrong
	}
	return d.letIn(user, from), nil
}

// try counts a try, or says that it must wait.
func (d *Door) try(from netip.Addr, name string, user User) error {
	if len(name) > nameMost {
		name = name[:nameMost]
	}
	d.mu.Lock()
	wait, locked := d.lock.begin(from, name, time.Now())
	d.mu.Unlock()
	if locked {
		d.cfg.Note(Event{LockedOut, user.Name, user.Role, from})
	}
	if wait > 0 {
		return &Locked{wait}
	}
	return nil
}

func (d *Door) letIn(user User, from netip.Addr) (secret string) {
	d.mu.Lock()
	d.lock.forgive(from, user.Name)
	secret, ended := d.sessions.begin(user, time.Now())
	d.mu.Unlock()
	if ended != "" {
		d.cfg.Note(Event{What: LoggedOff, User: ended})
	}
	d.cfg.Note(Event{SignedIn, user.Name, user.Role, from})
	return secret
}

// SetUp makes the first site lead with the code that stands on the console, once, and signs that person in.
func (d *Door) SetUp(ctx context.Context, code, name, password string, from netip.Addr) (secret string, err error) {
	if empty, err := d.Empty(); err != nil || !empty {
		return "", errors.Join(err, errSetUp)
	}
	if err := d.try(from, setupFile, User{}); err != nil {
		return "", err
	}
	want, err := SetupCode(d.cfg.Dir)
	switch {
	case err != nil:
		return "", err
	case !sameCode(code, want):
		d.cfg.Note(Event{What: Refused, Source: from})
		return "", errSetupCode
	}
	d.mu.Lock()
	d.lock.forgive(from, setupFile)
	d.mu.Unlock()
	made := error(nil)
	if err := d.hasher.do(ctx, func() { made = d.users.addFirst(name, password, time.Now()) }); err != nil {
		return "", err
	}
	if made != nil {
		return "", made
	}
	if _, err := SetupCode(d.cfg.Dir); err != nil { // takes the used one away
		return "", err
	}
	d.cfg.Note(Event{FirstSiteLead, name, SiteLead, from})
	list, err := d.users.All()
	at := indexOf(list, name)
	if err != nil || at < 0 {
		return "", errors.Join(err, ErrWrong) // taken away again meanwhile
	}
	return d.letIn(list[at], from), nil
}

// Session says whose a browser's secret is; a session that was unused for ActFor is asleep: it may look, not act. use counts this as a use.
func (d *Door) Session(secret string, use bool, now time.Time) (who Person, asleep, ok bool) {
	list, err := d.users.All()
	if err != nil {
		return Person{}, false, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.sessions.find(secret, now)
	if s == nil {
		return Person{}, false, false
	}
	at := indexOf(list, s.user)
	if at < 0 || list[at].Password != s.password {
		return Person{}, false, false
	}
	asleep = now.Sub(s.used) >= ActFor
	if use && !asleep {
		s.used = now
	}
	return Person{list[at].Name, list[at].Role}, asleep, true
}

// SignOut ends a session.
func (d *Door) SignOut(secret string) {
	d.mu.Lock()
	user := d.sessions.finish(secret)
	d.mu.Unlock()
	if user != "" {
		d.cfg.Note(Event{What: SignedOut, User: user})
	}
}

// Token says what a program may do that shows a token: the console's key, the scraper's or the screen's. A token that cannot be read lets
// nobody in, and the error says so.
func (d *Door) Token(token, as string) (Person, error) {
	if same(token, d.cfg.ConsoleKey) {
		if checkName(as) != nil {
			as = "console"
		} else {
			as = "console/" + as
		}
		return Person{as, SiteLead}, nil
	}
	for _, t := range []struct {
		read func() (string, error)
		role Role
	}{{d.cfg.ScrapeToken, Scraper}, {d.cfg.ScreenToken, Screen}} {
		if t.read == nil {
			continue
		}
		want, err := t.read()
		if err != nil {
			return Person{}, err
		}
		if same(token, want) {
			return Person{Role: t.role}, nil
		}
	}
	return Person{}, nil
}

// SignInScreen says whether a token is that of the room's screen. Tries are counted as those of passwords.
func (d *Door) SignInScreen(token string, from netip.Addr) error {
	if err := d.try(from, Screen.String(), User{}); err != nil {
		return err
	}
	who, err := d.Token(token, "")
	switch {
	case err != nil:
		return err
	case who.Role != Screen:
		d.cfg.Note(Event{What: Refused, Role: Screen, Source: from})
		return ErrWrong
	}
	d.mu.Lock()
	d.lock.forgive(from, Screen.String())
	d.mu.Unlock()
	d.cfg.Note(Event{What: SignedIn, Role: Screen, Source: from})
	return nil
}

func same(got, want string) bool {
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return want != "" && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// Stranger is who asks without session or token.
func (d *Door) Stranger(here bool) Person {
	if here {
		return d.cfg.Here
	}
	return Person{Role: d.cfg.Elsewhere}
}
