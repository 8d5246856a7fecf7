// Package status is the box's own web pages and API: the technician's page, the room's screen, and one JSON document that
// says the same for programs. It knows nothing of links and engines; the agent hands it a Status and it draws.
//
// # Routes
//
// routes.go holds the whole table, each line with the right it needs (package access); one guard enforces it (guard.go).
//
//	GET  /                        the technician's page; whole without script, live with it
//	GET  /room                    the room's screen: the physician's picture, who can see this room
//	GET  /api/v1/status           the document (type Status)
//	GET  /api/v1/events           the document as server-sent events: "status", whole each time, at once and at each change
//	GET  /events/status, /room    what the two pages follow: "page", the changing part drawn by the box
//	POST /api/v1/pin              form or JSON {"uplink": NAME}: hold everything on it; "" lets go
//	POST /api/v1/procedure        form or JSON {"open": true|false}: a procedure is open, from time-out to the end of observation
//	POST /api/v1/mute             form or JSON {"device": "camera"|"microphone", "on": true|false}; on false only from the box itself
//	POST /api/v1/examine          form or JSON {"uplink": NAME}: look at each of its layers now (at most every 2 s)
//	GET  /installation            the installation, step by step: what the box checks, what people answer
//	GET  /installation/report     the same to be printed and signed
//	GET  /api/v1/installation     the same as JSON; POST {"question": NAME, "answer": "yes"|"no"} answers
//	GET  /api/v1/drill            the failover drill: whether one may begin, how it goes, what the last one came to
//	POST /api/v1/drill            begins one; form or JSON {"seconds": "20"}; 409 with the reason where none may begin
//	GET  /api/v1/doctor           what is wrong with the box itself, as last looked at; ?quick: a look that waits for nothing
//	POST /api/v1/doctor           begins a whole look, which examines the uplinks too (12 s at most)
//	POST /api/v1/demo/U/WHAT      demo only; WHAT is cut, loss, delay, thin, restore
//	GET  /address.svg             a QR code of the page's address
//	GET  /support                 collects a support bundle and lists what is in it
//	POST /api/v1/support-bundle   collects one: its list, with the id by which GET /api/v1/support-bundle/ID gives it for ten minutes
//	GET  /api/v1/history          the last 24 hours by minutes (type History)
//	GET  /api/v1/levels           how loud microphone and loudspeaker are, as server-sent events: "levels", five a second (type Levels)
//	POST /api/v1/preview/whep     WHEP: the picture that leaves the room, for a few minutes; who looks is announced to the room
//	POST /room/whep               WHEP for the room's screen
//	GET  /signin                  the sign-in page; POST name, password, next; POST /signin/first code, name, password, again; POST /signout
//	GET  /healthz                 {"status":"ok"}, or 503 {"status":"stuck"} when the loop has not published for 3 s
//	GET  /metrics                 Prometheus
//
// # The document
//
// Status and the types in model.go and modelroom.go are the schema; each field's comment is its documentation. Rules for readers: times are
// RFC 3339 by the box's clock, and the zero time (year 1) means never; durations end in _ms; ratios are 0 to 1; null means
// not measured; a list is never null. Levels are ok, notice, warning, bad, unknown. Problem ids are stable:
//
//	uplink-down:NAME, uplink-degraded:NAME, single-uplink
//	no-camera, no-microphone, camera-failed, microphone-failed
//	return-voice-missing, return-video-missing, presence-unknown
//	trace-not-written, state-not-kept, invariant-broken
//	users-unreadable
//	camera-muted, microphone-muted, mute-key-missing, light-failed
//	drill:NAME
//	budget-low:NAME, budget-short:NAME, budget-spent:NAME, budget-lost, budget-not-kept
//
// Fields are added, never renamed or removed, within v1.
//
// # One drawing, three readers
//
// The template of a page has a part "now"; the technician's is put together from assets/sections, one file a part, in the order
// in which people ask. A browser without script gets it within the page; one with script gets the same
// part again with every event and puts it in place (assets/live.js), so the two can never say different things. The page
// counts the seconds since the last event by its own clock: within 5 s of the box's last word it says NO DATA FROM BOX and greys
// or covers the rest, whatever the reason (box dead, loop stuck, network gone). A snapshot older than 3 s is never sent as news, and in an answer its verdict
// is replaced by UNKNOWN: whoever asks a box whose loop is stuck is not told the last good news.
//
// # Who may
//
// Package access has the rule; guard.go enforces it for every line of the table. A person signs in at /signin with a name of this box and
// its password; the session is a cookie (HttpOnly, SameSite=Strict, over TLS Secure and __Host-), known here by its hash alone and gone with
// the process. A box without users shows the form that makes its first site lead with the setup code. A browser that may not is sent to the
// sign-in page, with the sentence why, and back to where it was; a program gets 401 with "sign_in", or 403, as problem+json. Tokens (Bearer,
// or HTTP Basic with any name) are for commands on the box, for the scraper and for a room's screen elsewhere. Nothing secret is ever
// in a URL. A stream ends with the session that opened it.
//
// The Host header must be an address, localhost or a configured name, which defeats DNS rebinding; requests that change something must not come
// from another site (http.CrossOriginProtection); the content security policy allows nothing inline. A client that does not
// read its events is let go after 5 s; at most 32 streams are served.
package status
