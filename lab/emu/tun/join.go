package tun

import (
	"io"
	"os"
	"sync"

	"scanside/lab/emu"
)

// Joint carries packets between two devices until it is closed.
type Joint struct {
	room, far *os.File
	gone      sync.WaitGroup
}

// Join sends what leaves by room through up to far, and what leaves by far through down to room. It takes the devices
// over; the lines stay the caller's and must outlive the joint. seen, when not nil, is shown each packet that reaches far,
// before far gets it; it must not block, change or keep the packet.
func Join(room, far *os.File, up, down *emu.Line, seen func(packet []byte)) *Joint {
	j := &Joint{room: room, far: far}
	j.gone.Go(func() { carry(room, up, watched{far, seen}) })
	j.gone.Go(func() { carry(far, down, room) })
	return j
}

type watched struct {
	io.Writer
	seen func([]byte)
}

func (w watched) Write(packet []byte) (int, error) {
	if w.seen != nil {
		w.seen(packet)
	}
	return w.Writer.Write(packet)
}

func carry(from *os.File, line *emu.Line, to io.Writer) {
	buf := make([]byte, mtu)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return // closed, or the device is gone with its namespace
		}
		line.Send(append([]byte(nil), buf[:n]...), to) // writing to a device that is down is a loss like any other
	}
}

// Close removes both devices and waits.
func (j *Joint) Close() {
	_ = j.room.Close()
	_ = j.far.Close()
	j.gone.Wait()
}
