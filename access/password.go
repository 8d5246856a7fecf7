package access

import "scanside/argon"

// cost of a password's hash. RFC 9106 section 4 recommends 64 MiB and 3 passes where memory is short; the box encodes video beside it, so it
// takes half of that, which is above OWASP's least (19 MiB, 2 passes), on one core.
func cost() argon.Cost { return argon.Cost{Memory: 32 << 10, Passes: 3, Lanes: 1} }

// mostMemory is what a hash of the file of users may take, in KiB.
const mostMemory = 128 << 10

func newHash(password string) (argon.Hash, error) { return argon.New(password, cost()) }

func parseHash(s string) (argon.Hash, error) { return argon.Parse(s, mostMemory) }
