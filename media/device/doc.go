// Package device is where the room's camera and microphone become RTP: V4L2 and ALSA in, H.264 and Opus packets out. It
// is the only package that needs C, and the only one that imports mediadevices.
//
// cmd/scanside builds the sources and passes them to the agent, which knows them as media.Source and, for what they know
// about their device, as media.HealthReporter:
//
//	Camera       V4L2 cameras, found by stable names, one in use         → H.264
//	Microphone   ALSA capture devices, found by card ids, one in use     → Opus
//	TestPicture  media's drawn picture                         → H.264
//	TestVoice    media's drawn voice                           → Opus
//
// Each Run encodes once; copies for the uplinks are made later, by media.Fanout. [List] says what is plugged in.
//
// # Promises
//
//  1. Run ends when its context does, and else only if an encoder cannot be built. A device that is absent, busy, pulled
//     out or silent is retried for ever; one whose driver hangs is left behind and opened anew, three times at most (hung.go).
//  2. A picture is fresh or it is a slate. When the camera gives nothing for StaleAfter, a drawn slate with the reason takes
//     its place; an old picture is never repeated. So it is when package content finds that the camera repeats one itself. A picture
//     that is fresh and shows nothing (black, covered, out of focus) is sent, and Health says what is wrong with it.
//  3. A room that cannot be heard sends no voice. There is no comfort noise and no made-up silence, so that the far end's
//     count of voice packets is the truth about the microphone, with no one's word needed. Detection of a dead uplink does
//     not suffer: probes and the picture (or its slate) keep flowing on the same path.
//  4. While the microphone works every 20 ms has its packet, silence too (no DTX): detection lives on them.
//  5. What a device does wrong is in Health within a second (what package content finds in picture and sound: within two), as a
//     sentence a technician can act on.
//  6. A muted device is closed, not turned down (shutter.go): its light goes out, and no reconnect or restart of a source
//     opens it. At most the picture that was being encoded is still sent; a slate says "Camera muted in the room". Nothing
//     comes of a muted microphone.
//
// # One clock
//
// Pictures and samples are stamped by the machine's monotonic clock: a picture when it was captured, by the kernel's word (when it is
// handed over, where the driver does not say or says what cannot be), sound by counting samples from a moment of that clock, anew each time a microphone is opened. A
// sound card's clock is off by some 50 millionths; the stamps count its samples all the same, for nothing is then left out or
// doubled and nothing clicks. What a stamp is in time, sender reports say anew every few seconds (RFC 3550 6.4.1), so the difference
// does not add up; a receiver's playout buffer takes it out where it takes out the network's. How far voice and picture are
// apart in the end is measured: make lipsync.
//
// # Several devices
//
// All of a source's devices are kept open and watched (lens, ear); package devices chooses the one in use from how they are,
// and selection.go makes that true within a tick of 100 ms. The stream does not notice but for a key frame: numbers and time go
// on, and the encoder stays if the pictures have the same size and rate. A camera that stands by is looked at five times a second.
//
// # Goroutines
//
// An encoder belongs to one goroutine, the one inside Run. RequestKeyFrame and SetRate leave a note that this goroutine
// reads before the next picture: openh264 takes both without a lock and would crash otherwise. Each device has one goroutine
// that keeps it open, and one inside the driver, which may hang there; Run waits for the first, and for the second closePatience.
//
// # The libraries' traps that are dealt with here
//
// mediadevices: of it only the encoder is used. Its camera driver keeps no time stamps, decodes Motion JPEG with Go's image/jpeg
// at three times the cost of encoding, cannot pass a frame over undecoded, and one bad picture ends its tracks: v4l2stream.go
// speaks to the kernel instead. A driver may choose another size than asked, which is read back. libjpeg-turbo: it warns of bytes
// that many cameras leave in each picture, and of pictures that were cut off, in the same way (jpeg.go). openh264: without a frame rate it sends ten times its target; if it may drop pictures it stutters
// after key frames, and if it may not it says on stderr, at each start and change of rate, that the rate cannot be kept,
// which debt.go sees to. malgo: it lends its buffer during the callback only, and does not notice when a device is pulled
// out (microphone.go watches). ALSA: its "null" looks like a microphone (alsa.go).
package device
