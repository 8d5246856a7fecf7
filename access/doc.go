// Package access decides who comes in and who may do what on the box: named users with argon2id passwords in a file of the state
// directory, their sessions, the tokens of what is no person, and the table of roles and rights (roles.go). Every route of the status page names
// the right it needs; package agent/status speaks HTTP, this one does not.
//
// # The rule
//
//  1. Nothing listens beyond loopback without asking who is there.
//  2. Every act needs a named user of this box; an act is written into the audit log with that name. Two stand for one: whoever has the
//     box's console (its key lies in the state directory, which root and the service can read) acts as console/ACCOUNT; and whoever
//     stands before the box's own screen may mute the room, and lift that again. Privacy waits for no password, and the mute key beside
//     the screen asks for none either.
//  3. Whoever is not let in is told what is missing: to sign in, or whose task it is.
//  4. What cannot be believed lets nobody in: a torn file of users ends all sessions, and is no box without users.
//
// # On disk
//
//	users.json           names, roles, argon2id hashes (PHC form); written whole or not at all, 0600
//	users-recorded.json  the same as the audit log knows them, with sums in place of hashes: changes at the console are recorded, also late
//	setup-code           while there are no users: makes the first site lead, once
//
// # What is bounded
//
// Passwords are compared one at a time, 32 MiB each, with as long a rest after each: a flood of sign-ins takes half of one core and
// nothing from the pictures (hasher.go). Failures are counted per source and per name in tables that do not grow (lockout.go), sessions are at
// most 64 (sessions.go). Both take the time as an argument.
package access
