package device

import (
	"flag"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"scanside/media"
)

var figures = flag.Bool("figures", false, "measure the encoder beside ffmpeg's (make encoders)")

// ours names the setting that makes this test's own process the one that is measured.
const ours = "SCANSIDE_ENCODE"

// encodings is a table of what is measured: ten seconds of pictures each.
var encodings = []struct {
	w, h, fps, bps int
}{{640, 360, 15, 800_000}, {1280, 720, 30, 2_500_000}, {1920, 1080, 30, 4_500_000}}

const encodedSeconds = 10

// TestEncoders prints what ten seconds of pictures cost in processor time and memory: this program's encoder, and ffmpeg's
// libx264 at its cheapest, with the same pictures, size, rate and bits. Debian's ffmpeg has no openh264. Both get raw pictures;
// ffmpeg reads them from a pipe, which costs it a copy.
func TestEncoders(t *testing.T) {
	if spec := os.Getenv(ours); spec != "" {
		encodeTenSeconds(t, spec)
		return
	}
	if !*figures {
		t.Skip("figures are made by make encoders")
	}
	for _, e := range encodings {
		own := exec.Command(os.Args[0], "-test.run=^TestEncoders$")
		own.Env = append(os.Environ(), fmt.Sprintf("%s=%d %d %d %d", ours, e.w, e.h, e.fps, e.bps))
		if out, err := own.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Logf("%dx%d@%d  openh264 (ours): %s", e.w, e.h, e.fps, cost(own.ProcessState))
		rate := strconv.Itoa(e.bps)
		other := exec.Command("ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", fmt.Sprintf("%dx%d", e.w, e.h), "-r", strconv.Itoa(e.fps), "-i", "-",
			"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline", "-threads", "1", "-g", "100000", "-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-f", "null", "-")
		in, err := other.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Start(); err != nil {
			t.Skip("this machine has no ffmpeg to compare with: ", err)
		}
		pictures := moving(e.w, e.h, e.fps)
		for n := range encodedSeconds * e.fps {
			p := pictures[n%len(pictures)]
			for _, plane := range [][]byte{p.Y, p.Cb, p.Cr} {
				if _, err := in.Write(plane); err != nil && err != io.ErrClosedPipe {
					t.Fatal(err)
				}
			}
		}
		_ = in.Close()
		if err := other.Wait(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%dx%d@%d  ffmpeg libx264 ultrafast: %s", e.w, e.h, e.fps, cost(other.ProcessState))
	}
}

func cost(p *os.ProcessState) string {
	used := p.UserTime() + p.SystemTime()
	return fmt.Sprintf("%.1f %% of a core, at most %d MB resident", 100*used.Seconds()/encodedSeconds, p.SysUsage().(*syscall.Rusage).Maxrss/1024)
}

// moving is a second of a noisy, moving picture, at most twenty of them: they stay in memory.
func moving(w, h, fps int) []*image.YCbCr {
	pattern, all := media.NewPattern(w, h, fps), []*image.YCbCr{}
	for n := range min(fps, 20) {
		drawn := pattern.Draw(uint64(n), time.Unix(0, 0))
		own := image.NewYCbCr(drawn.Rect, image.YCbCrSubsampleRatio420)
		copyI420(own, drawn)
		for i := 0; i < len(own.Y); i += 3 {
			own.Y[i] ^= byte(i*2654435761>>13+n) & 3
		}
		all = append(all, own)
	}
	return all
}

func encodeTenSeconds(t *testing.T, spec string) {
	var w, h, fps, bps int
	if _, err := fmt.Sscan(strings.TrimSpace(spec), &w, &h, &fps, &bps); err != nil {
		t.Fatal(err)
	}
	enc, err := newH264(w, h, float64(fps), bps)
	if err != nil {
		t.Fatal(err)
	}
	pictures, bytes := moving(w, h, fps), 0
	for n := range encodedSeconds * fps {
		au, err := enc.encode(pictures[n%len(pictures)], n == 0)
		if err != nil {
			t.Fatal(err)
		}
		bytes += len(au)
	}
	t.Logf("%d kbit/s", bytes*8/encodedSeconds/1000)
	if err := enc.Close(); err != nil {
		t.Error(err)
	}
}
