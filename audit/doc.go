// Package audit keeps the record of what the box did and what was done to it: append-only, hash-chained, signed, and on disk
// before Append returns. Somebody else can verify it, with the public key and nothing of this machine.
//
// # On disk
//
// A folder, all of it text but one file:
//
//	records-N.jsonl   one record a line (JSON); N is the number of the first. A new file begins when the last is large
//	checkpoints       signed notes, one after the other, each with an empty line behind it
//	hashes            the Merkle tree's inner hashes, 32 bytes each; made again from the records when it is behind
//	key, key.pub      Ed25519, in the text form of signed notes; key is readable by its owner alone
//	exported          up to where the record was exported: what may be deleted
//	torn-N            what was cut off the end of a file after a crash or power cut: kept, never read again
//
// A record is one line:
//
//	{"n":7,"at":"2026-11-24T20:15:04.123Z","up_ms":5012,"kind":"switchover","prev":"…","data":{…}}
//
// prev is the hash of the line before, so that no line can be changed, taken out or put in without changing all behind it.
// The hash of a line is RFC 6962's leaf hash, SHA-256 over a zero byte and the line without its line feed; the lines are the
// leaves of RFC 6962's Merkle tree (2.1). A checkpoint signs that tree's size and root, in the form of transparency logs
// (C2SP tlog-checkpoint: origin, size, root, in a signed note). A chain finds an edit, but neither a cut tail nor a rewrite
// of everything by somebody who has the key: a checkpoint that was handed to somebody else (Checkpoint) finds both.
//
// # What may be in it
//
// The kinds of kinds.go with their closed fields, and no free text: a record is about the box, never about a patient. Verify
// refuses a field that is not in the table.
//
// # Promises
//
//  1. A record for which Append returned nil is on disk, whatever is killed or pulled afterwards.
//  2. A torn tail is found at the next Open, cut off, kept aside, and said in a record of its own.
//  3. A disk that is full costs records that Append said it could not take, and no other.
//  4. Nothing is deleted that was not exported.
//  5. Damage in the middle is never repaired: it stays as it is, is said, and the record goes on in a new file.
package audit
