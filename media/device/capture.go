package device

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"os"
	"strings"
	"syscall"
	"time"
)

// capture is an open camera. One goroutine uses it.
type capture struct {
	name string // for people
	mode mode   // what it really does
	// read returns the next picture, valid until the next read. It blocks for ReadTimeout at most. After an error it may
	// be called again: one bad picture is not the end.
	read  func() (shot, error)
	close func() error // exactly once
}

// shot is one picture as it came, not decoded yet: of a camera that stands by most never are.
type shot struct {
	size image.Point
	at   time.Time                    // when it was captured, by the driver's word; zero: it does not say
	into func(dst *image.YCbCr) error // decodes it into 4:2:0 of size made even
}

// openCamera opens the camera that name stands for ("" is the first there is) in the mode nearest to want.
func openCamera(name string, want VideoConfig) (*capture, error) {
	node, err := findCamera("/", name)
	if err != nil {
		return nil, err
	}
	kernel, err := openV4L2(node)
	if err != nil {
		return nil, explainCamera(node, err)
	}
	c, err := chooseAndStart(kernel, node, want)
	if err != nil {
		return nil, errors.Join(err, kernel.Close())
	}
	return c, nil
}

func chooseAndStart(kernel *v4l2Node, node string, want VideoConfig) (*capture, error) {
	info, err := kernel.info()
	if err != nil {
		return nil, explainCamera(node, err)
	}
	asked, ok := choose(info.modes, want)
	if !ok {
		return nil, fmt.Errorf("camera %s (%s) offers no picture format that can be used here; it has: %s", info.card, node, formats(info.modes))
	}
	asked.fps = min(asked.fps, float64(want.FPS)) // 0 stays: a camera that names no rate may refuse to be asked for one
	return startCamera(kernel, node, info, asked)
}

// startCamera starts the stream in the mode that the driver makes of the one asked for. The node is then closed with the capture.
func startCamera(kernel *v4l2Node, node string, info v4l2Info, asked mode) (*capture, error) {
	c := &capture{name: fmt.Sprintf("%s (%s)", info.card, node)}
	stream, real, err := startStream(kernel, asked)
	if err != nil {
		return nil, explainCamera(c.name, err)
	}
	if real.fps == 0 {
		real.fps = cmp.Or(asked.fps, defaultFPS)
	}
	if formatRank(real.format) < 0 {
		return nil, errors.Join(fmt.Errorf("camera %s: asked for %v, it gives %v", c.name, asked, real), stream.Close())
	}
	dec, err := newDecoder(real, stream.stride)
	if err != nil {
		return nil, errors.Join(err, stream.Close())
	}
	c.mode = real
	var frame []byte
	into := func(dst *image.YCbCr) error { return dec.into(dst, frame) }
	c.read = func() (shot, error) {
		var at time.Time
		var err error
		frame, at, err = stream.next()
		return shot{image.Pt(real.width, real.height), at, into}, err
	}
	c.close = func() error {
		dec.Close()
		return errors.Join(stream.Close(), kernel.Close())
	}
	return c, nil
}

// explainCamera says what an error of a camera means and what to do.
func explainCamera(name string, err error) error {
	switch {
	case errors.Is(err, syscall.EBUSY):
		return fmt.Errorf("camera %s is in use by another program: close that program: %w", name, err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("camera %s may not be opened: run as a member of the group \"video\": %w", name, err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("camera %s finds no room on its USB bus beside the other devices: plug it into another socket, or ask for a smaller picture: %w", name, err)
	case errors.Is(err, syscall.ENODEV), errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("camera %s is gone: check its cable: %w", name, err)
	}
	return fmt.Errorf("camera %s: %w", name, err)
}

func formats(modes []mode) string {
	var seen []string
	for _, m := range modes {
		if f := m.format.String(); len(seen) == 0 || seen[len(seen)-1] != f {
			seen = append(seen, f)
		}
	}
	if len(seen) == 0 {
		return "none"
	}
	return strings.Join(seen, ", ")
}
