package access

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// recordedFile holds the users as the audit log knows them, so that what was changed while the box stood still is recorded when it runs again.
const recordedFile = "users-recorded.json"

// Look ends sessions that nobody used, and notes what was done to the users at the console. An error says that the file of users cannot be
// believed, or that what was noted is not kept.
func (d *Door) Look(now time.Time) error {
	list, err := d.users.All()
	if err != nil || d.cfg.Dir == "" {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, user := range d.sessions.sweep(now) {
		d.cfg.Note(Event{What: LoggedOff, User: user})
	}
	if d.known == nil {
		if d.known, err = recorded(d.cfg.Dir); err != nil {
			return err
		}
	}
	events := changes(d.known, list)
	if len(events) == 0 {
		return nil
	}
	for _, e := range events {
		d.cfg.Note(e)
	}
	if _, err := SetupCode(d.cfg.Dir); err != nil { // takes away the one that is needed no more
		return err
	}
	d.known = summed(list)
	text, err := json.Marshal(usersOnDisk{usersVersion, d.known})
	if err != nil {
		return err
	}
	return replace(filepath.Join(d.cfg.Dir, recordedFile), append(text, '\n'))
}

// changes lists what happened between two states of the users; of was, passwords are summed.
func changes(was, is []User) []Event {
	var all []Event
	for _, now := range summed(is) {
		at := indexOf(was, now.Name)
		switch {
		case at < 0:
			all = append(all, Event{What: UserAdded, User: now.Name, Role: now.Role})
			continue
		case was[at].Role != now.Role:
			all = append(all, Event{What: RoleChanged, User: now.Name, Role: now.Role})
		}
		if was[at].Password != now.Password {
			all = append(all, Event{What: NewPassword, User: now.Name, Role: now.Role})
		}
	}
	for _, old := range was {
		if indexOf(is, old.Name) < 0 {
			all = append(all, Event{What: UserRemoved, User: old.Name, Role: old.Role})
		}
	}
	return all
}

// summed is a list with a sum of each password's hash in its place: enough to see that it is another.
func summed(list []User) []User {
	out := make([]User, len(list))
	for i, u := range list {
		sum := sha256.Sum256([]byte(u.Password))
		u.Password = hex.EncodeToString(sum[:])
		out[i] = u
	}
	return out
}

// recorded is never nil without an error.
func recorded(dir string) ([]User, error) {
	text, err := os.ReadFile(filepath.Join(dir, recordedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return []User{}, nil
	}
	if err != nil {
		return nil, err
	}
	var file usersOnDisk
	if json.Unmarshal(text, &file) != nil || file.Users == nil {
		return []User{}, nil // torn: everybody is noted once more
	}
	return file.Users, nil
}
