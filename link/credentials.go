package link

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"strconv"
	"time"
)

// ShortLived makes a relay's credentials out of the secret that is shared with it (draft-uberti-behave-turn-rest-00
// section 2.2; coturn's use-auth-secret): the user name says when they end, the credential proves that we know the secret.
// user is for the relay's log and may be empty.
func ShortLived(secret, user string, end time.Time) (username, credential string) {
	username = strconv.FormatInt(end.Unix(), 10)
	if user != "" {
		username += ":" + user
	}
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(username))
	return username, base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
