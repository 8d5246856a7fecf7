// Package access decides who may do what on the box: the roles and their rights are one table (roles.go), and every route of
// the status page names the right it needs.
//
// # The rule
//
//  1. Nothing listens beyond loopback without asking who is there.
//  2. Every act needs a named user of this box; an act is written into the audit log with that name. One act needs none: whoever
//     stands before the box's own screen may mute the room, and lift that again. Privacy waits for no password, and the mute key
//     beside the screen asks for none either.
//  3. Whoever is not let in is told what is missing: to sign in, or whose task it is.
package access
