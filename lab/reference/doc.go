// Package reference is what the others do, measured beside us on the same emulated uplinks in the same run: each sends a
// voice-like stream, 50 packets a second, over two uplinks, and one of these turns into a black hole.
//
//	duplicator   two UDP sockets, every packet on both, first copy wins: the physical limit
//	pion         one PeerConnection that gathers on both uplinks and restarts ICE when it is disconnected
//	chromium     a page in Chromium that does nothing but what libwebrtc does by itself
//	rist         Debian's ristsender and ristreceiver with two paths
//
// Each is as small as it can be and as generous to the method as it can be: signalling costs nothing and always works, and
// each uplink has a routing table of its own, so that what is sent from its address leaves by it.
package reference
