// Package link is the live WebRTC association over one uplink, and the server that answers it.
//
// # Who calls it
//
// The agent dials one [Session] per uplink: a WHIP publish session (RFC 9725) that carries the room's picture and voice
// out, and a WHEP play session that brings the physician's back, dialled in parallel over the same [Net]. The gateway
// owns one [API] and answers with [Inbound] and [Outbound] peers; [Resources] is the HTTP half (POST, PATCH, DELETE). The
// agent's own page of the room uses the same server half. link knows media packets and nothing about failover.
//
// # One uplink, nothing else
//
// Every socket of a Session comes from its [Net]: media, signalling, name look-ups, ICE over TCP, TURN. [BoundNet] binds
// each to the uplink's interface (or source address). pion's own active ICE-TCP dials past the Net, so it is switched off
// and replaced (tcp.go), and so is its way to relays over TCP and TLS (relay.go).
//
// # Firewalls
//
// UDP straight to the far end has a head start. After it ICE over TCP (RFC 6544) and the relays (TURN, RFC 8656, by UDP,
// TCP and TLS) are tried beside it; the first that works is the session's [Path], the others are ended. What worked is
// kept in the uplink's [Memory]: it needs no head start the next time. The offer does not wait for relays, for their checks
// make them known to the far end. A [Proxy] wraps a Net, so that all of its TCP goes by CONNECT. Writes to TCP never
// block: what a stuck connection does not take is dropped, and the probes notice as they do on UDP.
//
// # Health
//
// ICE says "disconnected" seconds after a cut, so it decides nothing here. A Session sends probes: RTCP APP packets (RFC
// 3550 6.7) with the media's SSRC on the media's 5-tuple, answered at once by [Inbound], authenticated by SRTCP. Each
// outcome is one [Sample], measured on the sender's clock alone, so that a stale answer can never look fresh: an answer
// that comes after its probe was given up is a second Sample with Late set and the true round trip. The answer carries the
// far end's count of every stream over all legs, so that a report about a dead leg arrives over the living one, and its clock,
// so that the way out is measured by itself.
// The probe itself carries the room's count of what comes back, for the same use at the far end, and what is wrong with its
// sources, so that nobody there takes a slate for the room.
//
// A far end of another make does not answer probes (it does not say x-scanside-echo in its answer), but as every ICE agent it
// answers connectivity checks: those are the probes then, as quick (checks.go), and its receiver reports say what arrived,
// once a second (plain.go). Over a relay or TCP the reports are all there is. ICE keepalives are off on links; the probes
// keep the path and its NAT open for less, and are consent of a stronger kind than RFC 7675 asks for.
//
// A path that stays silent while the far end answers over HTTP is replaced by an ICE restart (PATCH) where the far end takes
// one, and else by a new session. What servers of other makes do differently is the table in foreign_test.go.
//
// # States of a Session
//
//	dialling    Dial: gather, POST, ICE, DTLS, both halves in parallel: 3 round trips of TCP, TLS and HTTP, 3 of ICE and DTLS
//	live        probes run; the play half re-dials itself while the publish half lives
//	            ("nobody there yet", 409 or 404 on WHEP, is live without return media)
//	dead        Done is closed, Err says why: ErrSilent (30 s, RFC 7675 5.1), ErrFarClosed, ErrForgotten (the far end answers
//	            over HTTP that it does not know the session), ErrPathBroken (it answers over HTTP alone, for 5 s)
//	closed      Close: DELETE (2 s at most), everything waited for
//
// An outage of up to 25 s leaves a Session live. So does a NAT that forgets the path: in doubt a Session sends ICE checks, from
// which the far end learns the new address (consent.go).
//
// # Invariants
//
//	L1 no socket of a Session exists that its Net did not make
//	L2 a probe ends in exactly one Sample that is not Late, and at most one that is
//	L3 Close returns with no goroutine of the Session left
//	L4 nothing a far end sends (SDP, RTCP, HTTP) panics; it ends in an error or is counted and dropped
package link
