// Package gateway is the far end: it makes one stream of what a box sends over several uplinks, shows it to supervisors in
// a browser, and takes one supervisor's voice and picture back to the room.
//
// # Who calls it
//
// cmd/scanside-gateway builds one [Gateway] from a [Config] and runs it; `scanside demo` runs one beside an agent; the lab
// serves [Gateway.Handler] over an in-memory network. Boxes speak WHIP and WHEP (RFC 9725) with their site's token, people
// use the page of gateway/console, which speaks the same with a cookie.
//
// # A room
//
//	box ── uplink ─┐                                   ┌─ viewer
//	               ├─ Merger (a kind) ─ stage ─ Fanout ┼─ viewer
//	box ── uplink ─┘                                   └─ viewer
//
//	box ── uplink ─┬─ Fanout (a kind) ─ stage ─ Merger ── talker
//	box ── uplink ─┘  (mirror rule)
//
// Every site has one room for as long as the gateway runs. A box's agent enters with a run: one numbering of packets, one
// set of mergers. A new run of the same box takes the old one's place at once; the stage lets exactly one producer write to
// the room's fanouts and rebases them, so that viewers keep their connections and see a stream without a jump. One talker
// at a time has the stage of the way back, in the same manner.
//
// Where the configuration says so (republish), a room's fanouts have one viewer more: a WHIP session to a server of another
// make, for as long as the box sends. So a fleet outgrows one gateway onto an SFU cluster, which gets one stream that lost
// nothing. The room is told that somebody watches there.
//
// Nothing of a room is kept to be shown later: a new viewer's picture begins with a key frame that is asked for when the
// connection stands.
//
// # Invariants
//
//	R1 of each packet at most one copy reaches a viewer, and no packet of a run that was replaced
//	R2 a viewer's trouble (slow, silent, gone) reaches nobody else: a bounded queue each, key frames at most every 500 ms
//	R3 return media of a kind goes on exactly the uplinks that bring that kind (nothing for 300 ms ends it), on all if none
//	   does; an uplink that takes it up is sent first what the room has not acknowledged, of this talk and no other
//	   The talker is asked (REMB) for no more than the thinnest uplink that takes his picture to the room carries, as the box measures
//	R4 a second box is refused while the first was heard within 3 s; a run that was replaced never comes back
//	R5 one talker; his end (by himself, by another, by a broken connection, by sign-out, or a box that was not
//	   heard for 30 s) stops the room's copy at once, and nothing but a new request of a person starts it again
//	R6 no peer is closed under a room's lock, and no packet takes it
//	R7 tokens, passwords, cookies and codes appear in no log, no error and no metric; only hashes are kept
//
// # Who may what
//
// routes.go is the whole table. A box: the bearer token of its site. A person: name and password (argon2id) or a one-time
// code, then a cookie (HttpOnly, SameSite=Strict, __Host- and Secure over TLS). A session ends 30 minutes after the last
// sign of life (an open room is one), 12 hours after sign-in, or by signing out, and takes what it had open with it. Requests
// that another site's page makes are refused (http.CrossOriginProtection), names that are not ours are not answered to.
// Role supervisor sees, talks and counts as present; observer sees.
//
// # What a box asks: presence
//
// GET /api/v1/sites/{site}/presence, with the site's token, answers with [Presence] as JSON: who has the room open, whether
// a window says that it sees and hears, who talks, and everybody who is given the picture, so that nobody looks in unseen.
//
//	?after=VERSION&wait=SECONDS   wait (at most 25 s) until something is newer than VERSION
//
// A console says every two seconds that it is there and what it sees and hears; after seven silent seconds it is not. The
// box should ask with wait=2 and hold what is older than three seconds for unknown.
//
// # Other answers
//
//	GET /api/v1/rooms    [RoomsView]: every room with its sentence, counts per stream and per uplink
//	GET /api/v1/events   the same each second, and soon after a change, as server-sent events "rooms"
//	GET /healthz         {"status":"ok"} while it serves
//	GET /metrics         on its own loopback port, scanside_gateway_…
//
//
//	POST /rooms/{site}/presence?desk=WINDOW   {"sees":true,"hears":true}: an open console's word, each two seconds;
//	                                          {"leaving":true} at its end
//
// Refusals are problem+json (RFC 9457) whose type is urn:scanside:problem:KIND.
package gateway
