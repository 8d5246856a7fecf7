package device

// #include <linux/videodev2.h>
import "C"

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// This file asks the kernel what a camera is and what it is doing. mediadevices is not asked: it believes a driver gives
// the size it was asked for, and it can spin for ever on a driver that names its frame rates as a range.

// v4l2Format is a V4L2 pixel format, a code of four letters.
type v4l2Format uint32

func (f v4l2Format) String() string {
	return string([]byte{byte(f), byte(f >> 8), byte(f >> 16), byte(f>>24) & 0x7f}) // bit 31 says big-endian
}

// mode is one way a camera can work.
type mode struct {
	format        v4l2Format
	width, height int
	fps           float64 // pictures a second at most; 0: the camera does not say
}

func (m mode) String() string {
	return fmt.Sprintf("%dx%d %s at %.3g/s", m.width, m.height, m.format, m.fps)
}

// v4l2Info is what the kernel says of one /dev/video node.
type v4l2Info struct {
	card, bus string
	captures  bool // a camera; metadata, output and codec nodes are not
	modes     []mode
}

// v4l2Node is an open /dev/video node, used for questions only. Streaming goes on beside it.
type v4l2Node struct{ fd int }

func openV4L2(path string) (*v4l2Node, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return &v4l2Node{fd}, nil
}

func (n *v4l2Node) Close() error { return unix.Close(n.fd) }

// ask is ioctl(2), repeated when a signal came in between.
func (n *v4l2Node) ask(request uintptr, answer unsafe.Pointer) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(n.fd), request, uintptr(answer))
		if errno == 0 {
			return nil
		}
		if errno != unix.EINTR {
			return errno
		}
	}
}

// info asks for everything; the modes are only asked for if it is a camera.
func (n *v4l2Node) info() (v4l2Info, error) {
	var c C.struct_v4l2_capability
	if err := n.ask(C.VIDIOC_QUERYCAP, unsafe.Pointer(&c)); err != nil {
		return v4l2Info{}, fmt.Errorf("ask what it is: %w", err)
	}
	caps := c.capabilities
	if caps&C.V4L2_CAP_DEVICE_CAPS != 0 {
		caps = c.device_caps // of this node; capabilities are the whole device's
	}
	const need = C.V4L2_CAP_VIDEO_CAPTURE | C.V4L2_CAP_STREAMING
	i := v4l2Info{card: cString(c.card[:]), bus: cString(c.bus_info[:]), captures: caps&need == need}
	if i.captures {
		i.modes = n.modes()
	}
	return i, nil
}

// maxListed bounds each list a driver is asked for, so that a broken one cannot keep us here.
const maxListed = 128

func (n *v4l2Node) modes() []mode {
	var all []mode
	for i := range maxListed {
		d := C.struct_v4l2_fmtdesc{index: C.__u32(i), _type: C.V4L2_BUF_TYPE_VIDEO_CAPTURE}
		if n.ask(C.VIDIOC_ENUM_FMT, unsafe.Pointer(&d)) != nil {
			break
		}
		format := v4l2Format(d.pixelformat)
		for _, s := range n.sizes(format) {
			all = append(all, mode{format, s[0], s[1], n.fastest(format, s[0], s[1])})
		}
	}
	slices.SortFunc(all, func(a, b mode) int {
		return cmp.Or(cmp.Compare(a.format, b.format), cmp.Compare(a.width*a.height, b.width*b.height), cmp.Compare(a.width, b.width))
	})
	return slices.Compact(all)
}

// sizes lists the picture sizes of a format. Of a camera that names a range, those in common use which lie in it.
func (n *v4l2Node) sizes(format v4l2Format) [][2]int {
	var out [][2]int
	for i := range maxListed {
		s := C.struct_v4l2_frmsizeenum{index: C.__u32(i), pixel_format: C.__u32(format)}
		if n.ask(C.VIDIOC_ENUM_FRAMESIZES, unsafe.Pointer(&s)) != nil {
			break
		}
		if s._type == C.V4L2_FRMSIZE_TYPE_DISCRETE {
			d := (*C.struct_v4l2_frmsize_discrete)(unsafe.Pointer(&s.anon0))
			out = append(out, [2]int{int(d.width), int(d.height)})
			continue
		}
		r := (*C.struct_v4l2_frmsize_stepwise)(unsafe.Pointer(&s.anon0))
		for _, c := range commonSizes {
			if onStep(c[0], r.min_width, r.max_width, r.step_width) && onStep(c[1], r.min_height, r.max_height, r.step_height) {
				out = append(out, c)
			}
		}
		break // a range is the only answer (V4L2, VIDIOC_ENUM_FRAMESIZES)
	}
	return out
}

// commonSizes is a table of the sizes tried on a camera that offers a range.
var commonSizes = [][2]int{{320, 180}, {320, 240}, {640, 360}, {640, 480}, {800, 600}, {960, 540}, {1280, 720}, {1920, 1080}}

func onStep(v int, low, high, step C.__u32) bool {
	n := C.__u32(v)
	return n >= low && n <= high && (step <= 1 || (n-low)%step == 0)
}

// fastest is the highest frame rate of a format and size, 0 if the camera does not say.
func (n *v4l2Node) fastest(format v4l2Format, width, height int) float64 {
	best := 0.0
	for i := range maxListed {
		v := C.struct_v4l2_frmivalenum{index: C.__u32(i), pixel_format: C.__u32(format), width: C.__u32(width), height: C.__u32(height)}
		if n.ask(C.VIDIOC_ENUM_FRAMEINTERVALS, unsafe.Pointer(&v)) != nil {
			break
		}
		// In both shapes, discrete and stepwise (whose first member is the shortest), the answer starts with a fraction.
		best = max(best, perSecond((*C.struct_v4l2_fract)(unsafe.Pointer(&v.anon0))))
		if v._type != C.V4L2_FRMIVAL_TYPE_DISCRETE {
			break
		}
	}
	return best
}

// current is the mode the camera really works in.
func (n *v4l2Node) current() (mode, error) {
	f := C.struct_v4l2_format{_type: C.V4L2_BUF_TYPE_VIDEO_CAPTURE}
	if err := n.ask(C.VIDIOC_G_FMT, unsafe.Pointer(&f)); err != nil {
		return mode{}, fmt.Errorf("read back the picture's size: %w", err)
	}
	pix := (*C.struct_v4l2_pix_format)(unsafe.Pointer(&f.fmt))
	m := mode{format: v4l2Format(pix.pixelformat), width: int(pix.width), height: int(pix.height)}
	p := C.struct_v4l2_streamparm{_type: C.V4L2_BUF_TYPE_VIDEO_CAPTURE}
	if n.ask(C.VIDIOC_G_PARM, unsafe.Pointer(&p)) == nil { // optional in V4L2
		m.fps = perSecond(&(*C.struct_v4l2_captureparm)(unsafe.Pointer(&p.parm)).timeperframe)
	}
	return m, nil
}

// perSecond turns the time of a picture into a rate, to a thousandth.
func perSecond(interval *C.struct_v4l2_fract) float64 {
	if interval.numerator == 0 {
		return 0
	}
	return math.Round(float64(interval.denominator)/float64(interval.numerator)*1000) / 1000
}

// cString reads a kernel's fixed field, which is zero-terminated if it is shorter.
func cString(b []C.__u8) string {
	out := make([]byte, 0, len(b))
	for _, c := range b {
		if c == 0 {
			break
		}
		out = append(out, byte(c))
	}
	return string(out)
}
