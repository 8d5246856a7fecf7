// Package tun leads emulated uplinks through TUN devices, so that whole programs in network namespaces meet them: a device
// in the room's namespace, one at the far end, and an emu.Line in each direction between.
//
// It needs root (CAP_NET_ADMIN and CAP_SYS_ADMIN for setns). Devices vanish when they are closed or the process dies.
package tun
