// Command vm is a scan room in a virtual machine: a Debian guest with a real V4L2 camera (vivid), real ALSA sound cards
// (snd-aloop) and two network cards with cables that can be pulled.
//
// It is the only world of the lab in which the agent meets a kernel's camera and microphone, so it answers one question:
// does the program that we ship work on devices? Counts and freezes are read here; latency, quality and processor time
// are not, because the guest's processor is usually emulated.
//
//	go run ./lab/vm camera     real scanside in the guest, real scanside-gateway outside, real Chromium watching
//	go run ./lab/vm devices    the camera and the microphone by themselves: which sizes run at which rate
//	go run ./lab/vm exec CMD   boot, run one shell command in the guest, print what it printed
//	go run ./lab/vm image      build the guest's disk, or say where it is
//
// # The parts
//
//	recipe/     what the guest is made of: packages and files. Its hash is the image's name in the cache
//	image       builds the disk once, from the Debian mirrors that this machine itself uses
//	world       a network of our own: the whole command runs again in its own network, process and mount namespace, so
//	            that nothing it starts or configures can outlive it or be seen outside
//	machine     qemu: boots a disk, pulls cables, always ends
//	guest       runs commands in the guest, over a serial line, so that pulling every cable leaves it reachable
//	hardware    the guest's camera and sound cards: plug, pull, hold, speak, hush
//	devices     tries them by themselves, with the kernel's own tools
//	box, far    the real agent in the guest, the real gateway outside
//	camera      the run from end to end; acts are its scenes; package lab/browser watches
//
// # What the camera run asserts, and what it prints
//
// A picture must be seen and a voice heard, silence must be silent, the box must say in words why its camera is not there,
// keep running, and show the camera again when it is back; the two devices must be listed under their stable names. All
// times and rates are printed only. Read them beside boot_seconds of the same run: 15 on an idle machine, and everything
// else is slower in proportion. Screenshots and logs are in build/vm.
//
// # The network
//
//	guest "wired"    10.7.1.2 ── tap0 10.7.1.1 ┐
//	                                           ├─ the gateway and Chromium, 203.0.113.10
//	guest "cellular" 10.7.2.2 ── tap1 10.7.2.1 ┘
//
// # Needs
//
// Root (namespaces, taps, building the disk) and the Debian packages qemu-system-x86, mmdebstrap and e2fsprogs; chromium
// for the camera run.
package main
