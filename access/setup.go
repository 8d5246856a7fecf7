package access

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	setupFile   = "setup-code"
	setupDigits = 16                                 // 80 bits
	setupSet    = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // Crockford's base 32: no letters that look like digits
)

var (
	errSetUp     = errors.New("this box has its first site lead already; sign in, or ask that person")
	errSetupCode = errors.New("the setup code is not right")
)

// SetupCode is the code by which the first site lead of a box without users is made. It is made once, kept in the state directory where the
// service and root alone can read it, and gone when it was used. "": there are users already.
func SetupCode(dir string) (string, error) {
	users, err := NewUsers(dir).All()
	switch {
	case err != nil:
		return "", err
	case dir == "":
		return "", errNoState
	}
	path := filepath.Join(dir, setupFile)
	if len(users) > 0 {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("take the used setup code away: %w", err)
		}
		return "", nil
	}
	text, err := os.ReadFile(path)
	if code := strings.TrimSpace(string(text)); err == nil && len(plain(code)) == setupDigits {
		return code, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the setup code: %w", err)
	}
	raw := make([]byte, setupDigits)
	rand.Read(raw) // never fails (crypto/rand)
	var code strings.Builder
	for i, b := range raw {
		if i > 0 && i%4 == 0 {
			code.WriteByte('-')
		}
		code.WriteByte(setupSet[int(b)%len(setupSet)]) // 256 is a multiple of 32: every digit as likely
	}
	return code.String(), replace(path, []byte(code.String()+"\n"))
}

// plain is a code as it was meant: people leave dashes out, type small letters, and O for 0.
func plain(code string) string {
	code = strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(code))
	if strings.Trim(code, setupSet) != "" {
		return ""
	}
	return code
}

func sameCode(a, b string) bool {
	a, b = plain(a), plain(b)
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
