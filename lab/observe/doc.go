// Package observe is the people in the lab: they see what a person would see and count it.
//
//	Viewer     plays a merged stream by WHEP and counts it: a physician at the console, or whoever looks at the room's page
//	Physician  talks into a room by WHIP: synthetic voice and picture, whose counts the room's Viewer knows how to read
//
// They are WebRTC peers of their own with nothing of package link in them, so that they do not share its mistakes: they offer
// what a browser offers (VP8 before H.264, H.264 as payload type 108) and expect the far end to choose. All HTTP goes
// through a client that the caller gives (with its session cookie, over its network), so the same observers work in the
// in-memory world and in namespaces.
package observe
