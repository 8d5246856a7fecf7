package access

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	usersFile    = "users.json"
	usersVersion = 1
	usersMost    = 200       // people of one site
	usersSize    = 256 << 10 // bytes of the file
	nameMost     = 32        // characters of a user's name
	nameLetters  = "abcdefghijklmnopqrstuvwxyz0123456789-_."
)

// User is a named person of this box.
type User struct {
	Name     string    `json:"name"`
	Role     Role      `json:"role"`
	Password string    `json:"password"` // argon2id, in the PHC form
	Since    time.Time `json:"since"`
}

// Users is the file of users in the box's state directory, readable by the service alone. It is looked at again whenever it changed, so that
// what is done at the console holds at once. Safe for concurrent use, and by several processes.
type Users struct {
	dir string

	mu   sync.Mutex
	read fs.FileInfo // of what list was read from; nil: nothing yet
	list []User
	err  error
}

// NewUsers is the users of a box that keeps its state in dir; "": a box that keeps nothing, and has none.
func NewUsers(dir string) *Users { return &Users{dir: dir} }

var errNoState = errors.New("the box keeps nothing over a restart (state_dir is empty), so it has no users")

// All are the users. An error means that the file is there and cannot be believed: then nobody may be let in by it.
func (u *Users) All() ([]User, error) {
	if u.dir == "" {
		return nil, nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.load()
}

func (u *Users) path() string { return filepath.Join(u.dir, usersFile) }

// load reads the file if it is another than last time.
func (u *Users) load() ([]User, error) {
	now, err := os.Stat(u.path())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		u.read, u.list, u.err = nil, nil, nil
		return nil, nil
	case err != nil:
		u.read, u.list, u.err = nil, nil, u.broken(err)
		return nil, u.err
	case u.read != nil && os.SameFile(now, u.read) && now.ModTime().Equal(u.read.ModTime()) && now.Size() == u.read.Size():
		return u.list, u.err
	}
	u.read = now
	u.list, u.err = readUsers(u.path())
	if u.err != nil {
		u.list, u.err = nil, u.broken(u.err)
	}
	return u.list, u.err
}

func (u *Users) broken(err error) error {
	return fmt.Errorf("the file of users cannot be believed (%w); on the box, put a copy of %s back, or move it away and make the users anew with `scanside user add`", err, u.path())
}

// usersOnDisk is the form of the file.
type usersOnDisk struct {
	Version int    `json:"version"`
	Users   []User `json:"users"`
}

func readUsers(path string) ([]User, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, usersSize+1))
	if err != nil {
		return nil, err
	}
	return parseUsers(text)
}

func parseUsers(text []byte) ([]User, error) {
	if len(text) > usersSize {
		return nil, fmt.Errorf("it has more than %d bytes", usersSize)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var file usersOnDisk
	if err := d.Decode(&file); err != nil {
		return nil, errors.New("it is torn, or no list of users")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something stands behind the list of users")
	}
	if file.Version != usersVersion || len(file.Users) > usersMost {
		return nil, fmt.Errorf("it has version %d and %d users", file.Version, len(file.Users))
	}
	for i, one := range file.Users {
		if err := checkName(one.Name); err != nil {
			return nil, err
		}
		if _, err := parseHash(one.Password); err != nil {
			return nil, fmt.Errorf("the password of %s %w", one.Name, err)
		}
		if slices.ContainsFunc(file.Users[:i], func(o User) bool { return o.Name == one.Name }) {
			return nil, fmt.Errorf("%s is in it twice", one.Name)
		}
		if !slices.Contains(People(), one.Role) {
			return nil, fmt.Errorf("%s has no role", one.Name)
		}
	}
	return file.Users, nil
}

// checkName says what is wrong with a name that a user shall have. Records and pages show it, so it is plain; words that stand for no person
// are not to be had.
func checkName(name string) error {
	switch {
	case name == "" || len(name) > nameMost || strings.Trim(name, nameLetters) != "":
		return fmt.Errorf("%q is not a user's name; use at most %d small letters, digits, '-', '_' and '.'", name, nameMost)
	case slices.Contains(roleWords[:], name) || slices.Contains([]string{"console", "key", "demo"}, name):
		return fmt.Errorf("%q cannot be a user's name: it has another meaning on this box", name)
	}
	return nil
}

// change reads the users, has them changed and writes them; nobody else changes them meanwhile.
func (u *Users) change(how func([]User) ([]User, error)) error {
	if u.dir == "" {
		return errNoState
	}
	return alone(u.dir, func() error {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.read = nil // two changes within one tick of the file's clock
		was, err := u.load()
		if err != nil {
			return err
		}
		list, err := how(slices.Clone(was))
		if err != nil {
			return err
		}
		if len(list) > usersMost {
			return fmt.Errorf("there are %d users; at most %d can be", len(list), usersMost)
		}
		if led(was) && !led(list) {
			return errors.New("nobody would be left who may change users: the last site lead stays; make another one first")
		}
		text, err := json.MarshalIndent(usersOnDisk{usersVersion, list}, "", "  ")
		if err != nil {
			return err
		}
		u.read = nil
		return replace(u.path(), append(text, '\n'))
	})
}

// Add makes a user.
func (u *Users) Add(name string, role Role, password string, now time.Time) error {
	return u.add(name, role, password, now, false)
}

// addFirst makes a user where there is none yet.
func (u *Users) addFirst(name, password string, now time.Time) error {
	return u.add(name, SiteLead, password, now, true)
}

func (u *Users) add(name string, role Role, password string, now time.Time, first bool) error {
	if err := checkName(name); err != nil {
		return err
	}
	h, err := newHash(password)
	if err != nil {
		return err
	}
	return u.change(func(list []User) ([]User, error) {
		if first && len(list) > 0 {
			return nil, errSetUp
		}
		if at := indexOf(list, name); at >= 0 {
			return nil, fmt.Errorf("there is a user %s already (%v)", name, list[at].Role)
		}
		return append(list, User{name, role, h.String(), now.UTC().Truncate(time.Second)}), nil
	})
}

// Remove takes a user away; its sessions end.
func (u *Users) Remove(name string) error {
	return u.change(func(list []User) ([]User, error) {
		at, err := find(list, name)
		if err != nil {
			return nil, err
		}
		return slices.Delete(list, at, at+1), nil
	})
}

// SetRole gives a user another role; it holds at once.
func (u *Users) SetRole(name string, role Role) error {
	return u.change(func(list []User) ([]User, error) {
		at, err := find(list, name)
		if err == nil {
			list[at].Role = role
		}
		return list, err
	})
}

// SetPassword gives a user another password; its sessions end.
func (u *Users) SetPassword(name, password string) error {
	h, err := newHash(password)
	if err != nil {
		return err
	}
	return u.change(func(list []User) ([]User, error) {
		at, err := find(list, name)
		if err == nil {
			list[at].Password = h.String()
		}
		return list, err
	})
}

func led(list []User) bool {
	return slices.ContainsFunc(list, func(o User) bool { return o.Role == SiteLead })
}

func indexOf(list []User, name string) int {
	return slices.IndexFunc(list, func(o User) bool { return o.Name == name })
}

func find(list []User, name string) (int, error) {
	if at := indexOf(list, name); at >= 0 {
		return at, nil
	}
	return 0, fmt.Errorf("there is no user %q", name)
}
