package gateway

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost of a password hash: the second recommendation of RFC 9106 section 4 (64 MiB, 3 passes), with one lane, because
// sign-ins are rare and one core of a shared server is what they may take.
const (
	argonMemory = 64 << 10 // KiB
	argonPasses = 3
	argonLanes  = 1
	argonSalt   = 16 // bytes
	argonKey    = 32 // bytes
)

// MinPassword is the least length of a password in characters (NIST SP 800-63B-4 asks for 15 where nothing else is asked).
const MinPassword = 15

// maxPassword bounds what is hashed for a stranger, in bytes.
const maxPassword = 512

// phc is a parsed argon2id hash.
type phc struct {
	memory, passes uint32
	lanes          uint8
	salt, key      []byte
}

// HashPassword makes the text that belongs in a user's password_hash.
func HashPassword(password string) (string, error) {
	if n := len([]rune(password)); n < MinPassword {
		return "", fmt.Errorf("hash password: %d characters are too few; use at least %d", n, MinPassword)
	}
	if len(password) > maxPassword {
		return "", fmt.Errorf("hash password: longer than %d bytes", maxPassword)
	}
	p := phc{memory: argonMemory, passes: argonPasses, lanes: argonLanes, salt: make([]byte, argonSalt)}
	rand.Read(p.salt) // never fails (crypto/rand)
	p.key = p.hash(password, argonKey)
	return p.String(), nil
}

func (p phc) hash(password string, bytes uint32) []byte {
	return argon2.IDKey([]byte(password), p.salt, p.passes, p.memory, p.lanes, bytes)
}

// String is the PHC form (github.com/P-H-C/phc-string-format).
func (p phc) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.passes, p.lanes,
		b64.EncodeToString(p.salt), b64.EncodeToString(p.key))
}

// parsePHC reads an argon2id hash in the PHC string form. Errors do not repeat the hash.
func parsePHC(s string) (phc, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return phc{}, errors.New("is not an argon2id hash ($argon2id$v=19$m=…,t=…,p=…$SALT$HASH); make one with the hash-password command")
	}
	var p phc
	var version int
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return phc{}, fmt.Errorf("argon2 version must be v=%d", argon2.Version)
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes); err != nil {
		return phc{}, errors.New("argon2id costs must read m=…,t=…,p=…")
	}
	// The least are OWASP's; the most keep one sign-in from taking the server.
	if p.memory < 19<<10 || p.memory > 1<<20 || p.passes < 1 || p.passes > 10 || p.lanes < 1 {
		return phc{}, errors.New("argon2id costs out of range: m 19456…1048576 (KiB), t 1…10, p at least 1")
	}
	var err1, err2 error
	p.salt, err1 = base64.RawStdEncoding.DecodeString(parts[4])
	p.key, err2 = base64.RawStdEncoding.DecodeString(parts[5])
	if err := errors.Join(err1, err2); err != nil || len(p.salt) < 8 || len(p.key) < 16 {
		return phc{}, errors.New("argon2id salt or hash is cut short or not base64 without padding")
	}
	return p, nil
}

func (p phc) matches(password string) bool {
	return subtle.ConstantTimeCompare(p.hash(password, uint32(len(p.key))), p.key) == 1
}

// NewSiteToken makes a bearer token for a site's box, and the hash that the gateway keeps instead of it. The token has 256
// random bits, so one SHA-256 is hash enough.
func NewSiteToken() (token, hash string) {
	token = newSecret()
	return token, hashToken(token)
}

// newSecret is 256 random bits as text that needs no quoting anywhere.
func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func parseTokenHash(s string) ([sha256.Size]byte, error) {
	var sum [sha256.Size]byte
	text, ok := strings.CutPrefix(s, "sha256:")
	b, err := hex.DecodeString(text)
	if !ok || err != nil || len(b) != len(sum) {
		return sum, errors.New("is not sha256: and 64 hex digits; the token command prints one")
	}
	return [sha256.Size]byte(b), nil
}

// minToken is the least length of a token in a token_file: 20 characters of base64 are 120 bits.
const minToken = 20

// tokenHashOf takes the text of a token file: a token, or its hash.
func tokenHashOf(text string) (string, error) {
	if strings.HasPrefix(text, "sha256:") {
		_, err := parseTokenHash(text)
		return text, err
	}
	if len(text) < minToken || strings.ContainsAny(text, " \t\r\n") {
		return "", fmt.Errorf("must hold one token of at least %d characters; the token command makes one", minToken)
	}
	return hashToken(text), nil
}

// sameToken compares in constant time; both sides are hashes of the same length.
func sameToken(token string, hash [sha256.Size]byte) bool {
	sum := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(sum[:], hash[:]) == 1
}
