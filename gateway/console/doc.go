// Package console is the physician's page, embedded: sign-in, the list of rooms, one open room with its live picture and
// sound, and Talk.
//
// The gateway serves it; it knows nothing of rooms but what the gateway's API says (GET /api/v1/events, WHEP, WHIP, presence).
// Scripts are plain modules without a build step, in the order they build on each other:
//
//	dom.js     text, lists, ages; nothing writes markup
//	feed.js    the gateway's word on all rooms; silent too long = everything is "not known"
//	wire.js    one WHIP or WHEP session
//	player.js  the room's picture and sound, kept alive; how old the picture on the screen is
//	talker.js  the supervisor's own; never begins by itself
//	facts.js   what the gateway says of a room: people, links, numbers
//	room.js    one open room
//	app.js     the list, and which room is open
//
// What the page promises:
//
//	P1 a picture older than one second is greyed and says how old it is; older than ten seconds it is not shown
//	P2 nobody is seen or heard in the room unless a person pressed Talk after the last break; every break ends Talk and lets
//	   go of camera and microphone
//	P3 "You are seen and heard in the room" stands only while the gateway says that both arrive there and go on over a
//	   link of the box that was heard within 3 seconds
//	P4 words of the gateway that are older than 3.5 seconds are marked as not known
//	P5 state is a word and a shape; colour only repeats it. One live region speaks the verdict, nothing else does
//	P6 LIVE stands over the room alone: what the box itself calls a notice, or a picture that shows nothing, is called that, with
//	   the reason, and does not count as seeing or hearing the room
package console
