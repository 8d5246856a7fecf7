// Package argon hashes people's passwords by argon2id (RFC 9106) and keeps them in the PHC form
// (github.com/P-H-C/phc-string-format), for the box's users and for the gateway's alike. What a hash may cost is the caller's: the box
// encodes video beside it, the gateway is a server.
package argon

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Cost of a hash. It stands with each hash, so that it can be raised later.
type Cost struct {
	Memory uint32 // KiB
	Passes uint32
	Lanes  uint8
}

const (
	saltBytes = 16
	keyBytes  = 32

	// MinPassword is the least length of a password in characters (NIST SP 800-63B-4 asks for 15 where nothing else is asked).
	MinPassword = 15

	// maxPassword bounds what is hashed for a stranger, in bytes.
	maxPassword = 512
)

// Hash is a password's hash. It is a value; any goroutine may use it.
type Hash struct {
	Cost
	salt, key []byte
}

// New hashes a password that somebody wants, or says why not that one.
func New(password string, c Cost) (Hash, error) {
	if n := utf8.RuneCountInString(password); n < MinPassword {
		return Hash{}, fmt.Errorf("the password has %d characters; use at least %d, a few words for instance", n, MinPassword)
	}
	if len(password) > maxPassword {
		return Hash{}, fmt.Errorf("the password is longer than %d bytes", maxPassword)
	}
	h := Blank(c)
	rand.Read(h.salt) // never fails (crypto/rand)
	h.key = h.of(password)
	return h, nil
}

// Blank is a hash that no password matches, as costly to compare with as any: an unknown name takes as long as a known one.
func Blank(c Cost) Hash { return Hash{c, make([]byte, saltBytes), make([]byte, keyBytes)} }

func (h Hash) of(password string) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.Passes, h.Memory, h.Lanes, uint32(len(h.key)))
}

// Matches reports whether it is the password's. It takes the hash's memory, and its time, unless the password is too long for any.
func (h Hash) Matches(password string) bool {
	return len(password) <= maxPassword && subtle.ConstantTimeCompare(h.of(password), h.key) == 1
}

// String is the PHC form.
func (h Hash) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.Memory, h.Passes, h.Lanes, b64.EncodeToString(h.salt), b64.EncodeToString(h.key))
}

// Parse reads the PHC form of a hash that takes at most so many KiB of memory. Its errors do not repeat the hash.
func Parse(s string, mostMemory uint32) (Hash, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return Hash{}, errors.New("is not an argon2id hash of version 19 ($argon2id$v=19$m=…,t=…,p=…$SALT$HASH)")
	}
	var h Hash
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.Memory, &h.Passes, &h.Lanes); err != nil || parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", h.Memory, h.Passes, h.Lanes) {
		return Hash{}, errors.New("argon2id costs must read m=…,t=…,p=…")
	}
	// The least are OWASP's; the most keep one sign-in from taking the machine.
	if h.Memory < 19<<10 || h.Memory > mostMemory || h.Passes < 1 || h.Passes > 10 || h.Lanes < 1 || h.Lanes > 4 {
		return Hash{}, fmt.Errorf("argon2id costs out of range: m 19456…%d (KiB), t 1…10, p 1…4", mostMemory)
	}
	var err1, err2 error
	h.salt, err1 = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	h.key, err2 = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if errors.Join(err1, err2) != nil || len(h.salt) < 8 || len(h.salt) > 64 || len(h.key) < 16 || len(h.key) > 64 {
		return Hash{}, errors.New("argon2id salt or hash is cut short, or not base64 without padding")
	}
	return h, nil
}
