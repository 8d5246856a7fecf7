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

	"scanside/argon"
)

// passwordCost is the second recommendation of RFC 9106 section 4 (64 MiB, 3 passes), with one lane, because sign-ins are rare and one core
// of a shared server is what they may take.
func passwordCost() argon.Cost { return argon.Cost{Memory: 64 << 10, Passes: 3, Lanes: 1} }

// mostMemory is what a hash in the configuration may take, in KiB.
const mostMemory = 1 << 20

// HashPassword makes the text that belongs in a user's password_hash.
func HashPassword(password string) (string, error) {
	h, err := argon.New(password, passwordCost())
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return h.String(), nil
}

// parsePassword reads a user's password_hash.
func parsePassword(s string) (argon.Hash, error) {
	h, err := argon.Parse(s, mostMemory)
	if err != nil {
		err = fmt.Errorf("%w; make one with the hash-password command", err)
	}
	return h, err
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
