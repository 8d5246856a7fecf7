package device

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pion/mediadevices/pkg/driver"
	"github.com/pion/mediadevices/pkg/driver/camera"
	"github.com/pion/mediadevices/pkg/io/video"
	"github.com/pion/mediadevices/pkg/prop"
)

// capture is an open camera. One goroutine uses it.
type capture struct {
	name string // for people
	mode mode   // what it really does
	// read returns the next picture, valid until the next read. It blocks for ReadTimeout at most. After an error it may
	// be called again: one bad picture is not the end.
	read  func() (image.Image, error)
	close func() error // exactly once: mediadevices would close a file number that may be somebody else's by then
}

// readTimeoutVariable is how mediadevices' camera driver is told ReadTimeout; it has no other way.
const readTimeoutVariable = "PION_MEDIADEVICES_CAMERA_READ_TIMEOUT"

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
	defer kernel.Close()
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

// startCamera starts the stream and reads back what the driver made of the request. If that is another size, it starts
// once more with that size: mediadevices cuts the pictures up by the size it asked for.
func startCamera(kernel *v4l2Node, node string, info v4l2Info, asked mode) (*capture, error) {
	c := &capture{name: fmt.Sprintf("%s (%s)", info.card, node)}
	for attempt := range 2 {
		read, stop, err := streamCamera(node, asked)
		if err != nil {
			return nil, explainCamera(c.name, err)
		}
		real, err := kernel.current()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("camera %s: %w", c.name, err), stop())
		}
		if real.fps == 0 {
			real.fps = cmp.Or(asked.fps, defaultFPS)
		}
		if real.width == asked.width && real.height == asked.height && real.format == asked.format {
			c.mode, c.close = real, stop
			c.read = func() (image.Image, error) { img, _, err := read.Read(); return img, err }
			return c, nil
		}
		if err := stop(); err != nil {
			return nil, fmt.Errorf("camera %s: stop it: %w", c.name, err)
		}
		if attempt == 1 || formatRank(real.format) < 0 {
			return nil, fmt.Errorf("camera %s: asked for %v, it gives %v", c.name, asked, real)
		}
		asked.format, asked.width, asked.height = real.format, real.width, real.height
	}
	panic("unreachable")
}

// streamCamera starts mediadevices' driver for the node and returns its reader and what stops it.
func streamCamera(node string, m mode) (video.Reader, func() error, error) {
	d, err := findDriver(node)
	if err != nil {
		return nil, nil, err
	}
	if err := d.Open(); err != nil {
		return nil, nil, err
	}
	p := prop.Media{Video: prop.Video{
		Width: m.width, Height: m.height, FrameRate: float32(m.fps), FrameFormat: pixelFormats[formatRank(m.format)].format,
		// The kernel keeps two pictures for us; if we stood still they are old.
		DiscardFramesOlderThan: staleAfter(m.fps),
	}}
	r, err := d.(driver.VideoRecorder).VideoRecord(p)
	if err != nil {
		return nil, nil, err // the driver has closed itself
	}
	return r, d.Close, nil
}

// findDriver looks the node's driver up. Drivers are known from one scan at program start; Initialize scans again, so
// that a camera plugged in since is found and one that moved to another node is not mistaken. A driver in use elsewhere
// is only forgotten by the list, it keeps working.
func findDriver(node string) (driver.Driver, error) {
	camera.Initialize()
	want := camera.LabelSeparator + filepath.Base(node)
	for _, d := range driver.GetManager().Query(driver.FilterVideoRecorder()) {
		if strings.HasSuffix(d.Info().Label, want) {
			return d, nil
		}
	}
	return nil, syscall.ENOENT
}

// setReadTimeout makes a camera that hangs give up after ReadTimeout instead of 5 s, unless somebody chose otherwise.
func setReadTimeout() {
	if _, set := os.LookupEnv(readTimeoutVariable); !set {
		_ = os.Setenv(readTimeoutVariable, strconv.Itoa(int(ReadTimeout/time.Second))) // fails only for an invalid name
	}
}

// explainCamera says what an error of a camera means and what to do.
func explainCamera(name string, err error) error {
	switch {
	case errors.Is(err, syscall.EBUSY):
		return fmt.Errorf("camera %s is in use by another program: close that program: %w", name, err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("camera %s may not be opened: run as a member of the group \"video\": %w", name, err)
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
