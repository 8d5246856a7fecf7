package device

// #include <linux/videodev2.h>
import "C"

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// v4l2Stream is a camera that streams into memory shared with the kernel (V4L2, "Streaming I/O (Memory Mapping)"). It belongs to
// one goroutine. mediadevices' driver is not used: it decodes every frame whether wanted or not, keeps no time stamps, and ends
// at the first one that is damaged.
type v4l2Stream struct {
	node   *v4l2Node
	stride int // bytes a line of the first plane
	bufs   [][]byte
	lent   int // index of the frame that is in use; -1: none
	stale  time.Duration
	old    int // frames in a row that seem to have waited too long
}

// buffered frames: one that is read, one that is being filled, and two for when this program is late.
const bufferedFrames = 4

var errDamaged = errors.New("a picture that the camera's driver marks as damaged")

// startStream sets the mode, reads back what the driver made of it, and starts. The node stays the caller's.
func startStream(node *v4l2Node, want mode) (*v4l2Stream, mode, error) {
	s := &v4l2Stream{node: node, lent: -1}
	real, err := s.set(want)
	if err != nil {
		return nil, mode{}, err
	}
	s.stale = staleAfter(real.fps)
	if err := s.start(); err != nil {
		return nil, mode{}, errors.Join(err, s.Close())
	}
	return s, real, nil
}

// set asks for a mode and returns the one that the driver gives.
func (s *v4l2Stream) set(want mode) (mode, error) {
	f := C.struct_v4l2_format{_type: C.V4L2_BUF_TYPE_VIDEO_CAPTURE}
	pix := (*C.struct_v4l2_pix_format)(unsafe.Pointer(&f.fmt))
	pix.width, pix.height, pix.pixelformat = C.__u32(want.width), C.__u32(want.height), C.__u32(want.format)
	if err := s.node.ask(C.VIDIOC_S_FMT, unsafe.Pointer(&f)); err != nil {
		return mode{}, fmt.Errorf("set it to %v: %w", want, err)
	}
	s.stride = int(pix.bytesperline)
	if want.fps > 0 { // optional in V4L2: a camera that refuses has one rate
		p := C.struct_v4l2_streamparm{_type: C.V4L2_BUF_TYPE_VIDEO_CAPTURE}
		(*C.struct_v4l2_captureparm)(unsafe.Pointer(&p.parm)).timeperframe = C.struct_v4l2_fract{numerator: 1000, denominator: C.__u32(want.fps*1000 + 0.5)}
		_ = s.node.ask(C.VIDIOC_S_PARM, unsafe.Pointer(&p))
	}
	return s.node.current()
}

// start shares the memory, gives all frames to the driver, and starts it.
func (s *v4l2Stream) start() error {
	r := C.struct_v4l2_requestbuffers{count: bufferedFrames, _type: C.V4L2_BUF_TYPE_VIDEO_CAPTURE, memory: C.V4L2_MEMORY_MMAP}
	if err := s.node.ask(C.VIDIOC_REQBUFS, unsafe.Pointer(&r)); err != nil {
		return fmt.Errorf("ask for its buffers: %w", err)
	}
	for i := range int(r.count) {
		b := frameBuffer(i)
		if err := s.node.ask(C.VIDIOC_QUERYBUF, unsafe.Pointer(&b)); err != nil {
			return fmt.Errorf("ask for its buffers: %w", err)
		}
		mem, err := unix.Mmap(s.node.fd, int64(*(*C.__u32)(unsafe.Pointer(&b.m))), int(b.length), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			return fmt.Errorf("share its memory: %w", err)
		}
		s.bufs = append(s.bufs, mem)
		if err := s.give(i); err != nil {
			return err
		}
	}
	kind := C.int(C.V4L2_BUF_TYPE_VIDEO_CAPTURE)
	if err := s.node.ask(C.VIDIOC_STREAMON, unsafe.Pointer(&kind)); err != nil {
		return fmt.Errorf("start it: %w", err)
	}
	return nil
}

func frameBuffer(i int) C.struct_v4l2_buffer {
	return C.struct_v4l2_buffer{index: C.__u32(i), _type: C.V4L2_BUF_TYPE_VIDEO_CAPTURE, memory: C.V4L2_MEMORY_MMAP}
}

func (s *v4l2Stream) give(i int) error {
	b := frameBuffer(i)
	if err := s.node.ask(C.VIDIOC_QBUF, unsafe.Pointer(&b)); err != nil {
		return fmt.Errorf("give a buffer back: %w", err)
	}
	return nil
}

// next waits for a frame, ReadTimeout at most. It is valid until the next call. at is when it was captured, as the driver says by
// the kernel's monotonic clock (V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC), or zero where it does not. Frames that waited too long because
// this program stood still are left out.
func (s *v4l2Stream) next() (frame []byte, at time.Time, err error) {
	for {
		if s.lent >= 0 {
			i := s.lent
			s.lent = -1
			if err := s.give(i); err != nil {
				return nil, time.Time{}, err
			}
		}
		b, err := s.wait()
		if err != nil {
			return nil, time.Time{}, err
		}
		if int(b.index) >= len(s.bufs) || int(b.bytesused) > len(s.bufs[b.index]) {
			return nil, time.Time{}, fmt.Errorf("the driver names a buffer that does not exist: %d", b.index)
		}
		s.lent = int(b.index)
		if b.flags&C.V4L2_BUF_FLAG_ERROR != 0 {
			return nil, time.Time{}, errDamaged
		}
		at, waited := captured(&b)
		if s.tooOld(waited) {
			continue
		}
		return s.bufs[b.index][:b.bytesused], at, nil
	}
}

// tooOld says whether a frame waited while this program stood still. No more can have waited than there are buffers: after
// so many it is the camera's clock that is wrong, and its pictures are as fresh as any.
func (s *v4l2Stream) tooOld(waited time.Duration) bool {
	if waited <= s.stale {
		s.old = 0
		return false
	}
	s.old = min(s.old+1, len(s.bufs)+1)
	return s.old <= len(s.bufs)
}

// wait takes a full buffer from the driver.
func (s *v4l2Stream) wait() (C.struct_v4l2_buffer, error) {
	for deadline := time.Now().Add(ReadTimeout); ; {
		b := frameBuffer(0)
		err := s.node.ask(C.VIDIOC_DQBUF, unsafe.Pointer(&b))
		if err != unix.EAGAIN {
			return b, err
		}
		left := time.Until(deadline)
		if left <= 0 {
			return b, fmt.Errorf("no picture within %v", ReadTimeout)
		}
		fds := []unix.PollFd{{Fd: int32(s.node.fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, int(left.Milliseconds())+1); err != nil && err != unix.EINTR {
			return b, err
		}
		if fds[0].Revents&unix.POLLERR != 0 { // pulled out: DQBUF says how
			if err := s.node.ask(C.VIDIOC_DQBUF, unsafe.Pointer(&b)); err != nil && err != unix.EAGAIN {
				return b, err
			}
			return b, unix.ENODEV
		}
	}
}

// captured is when a frame was taken, by the driver's word, and how long it has waited; zero: the driver does not say, or says
// what cannot be.
func captured(b *C.struct_v4l2_buffer) (at time.Time, waited time.Duration) {
	if b.flags&C.V4L2_BUF_FLAG_TIMESTAMP_MASK != C.V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC {
		return time.Time{}, 0
	}
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return time.Time{}, 0
	}
	stamp := time.Duration(b.timestamp.tv_sec)*time.Second + time.Duration(b.timestamp.tv_usec)*time.Microsecond
	waited = time.Duration(now.Nano()) - stamp
	return time.Now().Add(-waited), waited
}

// Close stops the camera and lets go of the memory.
func (s *v4l2Stream) Close() error {
	kind := C.int(C.V4L2_BUF_TYPE_VIDEO_CAPTURE)
	err := s.node.ask(C.VIDIOC_STREAMOFF, unsafe.Pointer(&kind))
	if errors.Is(err, unix.ENODEV) {
		err = nil // it was pulled out: that is stopped, too
	}
	for _, mem := range s.bufs {
		err = errors.Join(err, unix.Munmap(mem))
	}
	s.bufs = nil
	return err
}
