package access

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

// Cost of a password hash. RFC 9106 section 4 recommends 64 MiB and 3 passes where memory is short; the box encodes video beside it, so it takes half
// of that, which is above OWASP's least (19 MiB, 2 passes), on one core. The costs stand with each hash and can be raised later.
const (
	hashMemory = 32 << 10 // KiB
	hashPasses = 3
	hashLanes  = 1
	hashSalt   = 16 // bytes
	hashKey    = 32 // bytes
)

// MinPassword is the least length of a password in characters (NIST SP 800-63B-4 asks for 15 where nothing else is asked).
const MinPassword = 15

// maxPassword bounds what is hashed for a stranger, in bytes.
const maxPassword = 256

// hash is a parsed argon2id hash.
type hash struct {
	memory, passes uint32
	lanes          uint8
	salt, key      []byte
}

// newHash hashes a password that somebody wants, or says why not that one.
func newHash(password string) (hash, error) {
	if n := utf8.RuneCountInString(password); n < MinPassword {
		return hash{}, fmt.Errorf("the password has %d characters; use at least %d, a few words for instance", n, MinPassword)
	}
	if len(password) > maxPassword {
		return hash{}, fmt.Errorf("the password is longer than %d bytes", maxPassword)
	}
	h := blank()
	rand.Read(h.salt) // never fails (crypto/rand)
	h.key = h.of(password)
	return h, nil
}

// blank is a hash that no password matches, as costly to compare with as any: an unknown name takes as long as a known one.
func blank() hash {
	return hash{hashMemory, hashPasses, hashLanes, make([]byte, hashSalt), make([]byte, hashKey)}
}

func (h hash) of(password string) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, uint32(len(h.key)))
}

func (h hash) matches(password string) bool {
	return len(password) <= maxPassword && subtle.ConstantTimeCompare(h.of(password), h.key) == 1
}

// String is the PHC form (github.com/P-H-C/phc-string-format).
func (h hash) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, h.lanes, b64.EncodeToString(h.salt), b64.EncodeToString(h.key))
}

// parseHash reads the PHC form. Its errors do not repeat the hash.
func parseHash(s string) (hash, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return hash{}, errors.New("is not an argon2id hash of version 19")
	}
	var h hash
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.lanes); err != nil || parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", h.memory, h.passes, h.lanes) {
		return hash{}, errors.New("argon2id costs must read m=…,t=…,p=…")
	}
	// The least are OWASP's; the most keep one sign-in from taking the box.
	if h.memory < 19<<10 || h.memory > 128<<10 || h.passes < 1 || h.passes > 10 || h.lanes < 1 || h.lanes > 4 {
		return hash{}, errors.New("argon2id costs out of range: m 19456…131072 (KiB), t 1…10, p 1…4")
	}
	var err1, err2 error
	h.salt, err1 = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	h.key, err2 = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if errors.Join(err1, err2) != nil || len(h.salt) < 8 || len(h.salt) > 64 || len(h.key) < 16 || len(h.key) > 64 {
		return hash{}, errors.New("argon2id salt or hash is cut short")
	}
	return h, nil
}
