// Package browser is a real Chromium that watches: it opens a page of ours as a person would, and counts what the person
// would see and hear. Worlds with real sockets (namespaces, the virtual machine) use it; what Chromium decodes and shows is
// the last word about a picture.
//
//	b, err := browser.Start(ctx, browser.Config{})     one Chromium, one tab
//	b.Open(url)
//	b.Watch()                                          the counts since the last Mark
//	b.Screenshot(file)
//
// watch.js is put into every page before the page's own scripts run. It keeps the page's peer connections, whose statistics
// tell of packets, decoded frames and sound, and asks each video element for a callback at each frame that is put on the
// screen, so that a freeze is measured where it is seen. It changes nothing else.
//
// Chromium's frame callbacks come at the screen's own rate (60 a second), so a freeze is known to about 17 ms.
package browser
