package device

import (
	"bytes"
	"image"
	"math"
	"math/rand/v2"
	"os/exec"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
)

// room draws something like a room seen by a camera: soft shapes that move across and down at different speeds, and noise.
type room struct {
	img          *image.YCbCr
	across, down []byte
	grain        []byte
}

func newRoom(w, h int) *room {
	random := rand.New(rand.NewPCG(1, 2))
	r := &room{
		img:    image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420),
		across: make([]byte, 2*w), down: make([]byte, 2*h), grain: make([]byte, 1<<16),
	}
	for i := range r.across {
		r.across[i] = byte(70 + 40*math.Sin(float64(i%w)*2*math.Pi*5/float64(w)))
	}
	for i := range r.down {
		r.down[i] = byte(60 + 40*math.Cos(float64(i%h)*2*math.Pi*4/float64(h)))
	}
	for i := range r.grain {
		r.grain[i] = byte(random.IntN(12))
	}
	return r
}

// draw returns picture n, valid until the next.
func (r *room) draw(n int) *image.YCbCr {
	w, h := r.img.Rect.Dx(), r.img.Rect.Dy()
	for y := range h {
		row, across := r.img.Y[y*r.img.YStride:][:w], r.across[3*n%w:][:w]
		grain := r.grain[(y*w+n*7919)%(len(r.grain)-w):][:w]
		down := r.down[y+2*n%h]
		for x := range row {
			row[x] = down + across[x] + grain[x]
		}
	}
	for i := range r.img.Cb {
		r.img.Cb[i], r.img.Cr[i] = byte(100+n%50), byte(140+(i+n)%20)
	}
	return r.img
}

func encoder(t testing.TB, w, h int, fps float64, bps int) *h264 {
	t.Helper()
	e, err := newH264(w, h, fps, bps)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close the encoder: %v", err)
		}
	})
	return e
}

func encode(t testing.TB, e *h264, img *image.YCbCr, key bool) []byte {
	t.Helper()
	au, err := e.encode(img, key)
	if err != nil {
		t.Fatal(err)
	}
	return au
}

// units lists the NAL unit types of an access unit.
func units(accessUnit []byte) (types []byte) {
	for _, nal := range bytes.Split(accessUnit, []byte{0, 0, 1}) {
		if len(nal) > 0 && nal[0] != 0 {
			types = append(types, nal[0]&0x1f)
		}
	}
	return types
}

const (
	nalIDR = 5
	nalSPS = 7
	nalPPS = 8
)

func isKey(accessUnit []byte) bool { return bytes.IndexByte(units(accessUnit), nalIDR) >= 0 }

// "profile-level-id=42e01f": profile_idc 66 with constraint_set1_flag is constrained baseline (H.264 A.2.1.1), and the
// level of 720p30 is 3.1. (The third constraint flag, which is all that tells 42c0 from 42e0, changes nothing there.)
func TestKeyFrameCarriesConstrainedBaselineParameterSets(t *testing.T) {
	e := encoder(t, 1280, 720, 30, 2_000_000)
	au := encode(t, e, newRoom(1280, 720).draw(0), false)
	if got := units(au); !bytes.Equal(got, []byte{nalSPS, nalPPS, nalIDR}) {
		t.Fatalf("units of the first picture are %v, want SPS, PPS and one IDR slice", got)
	}
	sps := au[bytes.IndexByte(au, 0x67):]
	if profile, constraints, level := sps[1], sps[2], sps[3]; profile != 66 || constraints&0x40 == 0 || level > 31 {
		t.Fatalf("profile-level-id %x, want 42 with constraint_set1 and level at most 1f", sps[1:4])
	}
}

func TestKeyFrameComesWithTheNextPicture(t *testing.T) {
	e, r := encoder(t, 640, 360, 30, 1_000_000), newRoom(640, 360)
	for n := range 120 {
		ask := n > 0 && n%20 == 0
		au := encode(t, e, r.draw(n), ask)
		if ask && len(au) == 0 { // the rate control dropped this picture; the request must survive
			au = encode(t, e, r.draw(n), false)
		}
		if want := ask || n == 0; isKey(au) != want {
			t.Errorf("picture %d has units %v, want a key frame: %v", n, units(au), want)
		}
	}
}

// rate encodes n pictures and returns bits a second.
func rate(t *testing.T, e *h264, r *room, from, n int, fps float64) (bps float64, dropped, keys int) {
	t.Helper()
	var bytes int
	for i := range n {
		au := encode(t, e, r.draw(from+i), false)
		bytes += len(au)
		if len(au) == 0 {
			dropped++
		}
		if isKey(au) {
			keys++
		}
	}
	return float64(bytes) * 8 * fps / float64(n), dropped, keys
}

func TestRateIsKeptAt720p30(t *testing.T) {
	e, r := encoder(t, 1280, 720, 30, 2_000_000), newRoom(1280, 720)
	from := 0
	for i, want := range []int{2_000_000, 1_000_000} {
		if i > 0 {
			if err := e.setRate(want); err != nil {
				t.Fatal(err)
			}
		}
		got, dropped, keys := rate(t, e, r, from, 90, 30)
		from += 90
		t.Logf("target %d bit/s: %.0f (%+.1f %%), %d of 90 pictures dropped, %d key frames", want, got, 100*(got/float64(want)-1), dropped, keys)
		if math.Abs(got/float64(want)-1) > 0.10 {
			t.Errorf("rate %.0f bit/s is more than 10 %% off the target %d", got, want)
		}
		if i > 0 && keys > 0 {
			t.Errorf("changing the rate cost %d key frames", keys)
		}
	}
}

func TestPacketsCarryTheAccessUnits(t *testing.T) {
	e, r := encoder(t, 1280, 720, 30, 4_000_000), newRoom(1280, 720)
	var p pictures
	var in codecs.H264Packet
	var seq uint16
	for n := range 20 {
		au := encode(t, e, r.draw(n), n == 10)
		var got []byte
		packets := p.split(au, uint32(n)*3000)
		for i, pkt := range packets {
			checkPacket(t, pkt, seq+1, uint32(n)*3000, i == len(packets)-1)
			seq = pkt.SequenceNumber
			b, err := in.Unmarshal(pkt.Payload)
			if err != nil {
				t.Fatalf("picture %d packet %d: %v", n, i, err)
			}
			got = append(got, b...)
		}
		if !bytes.Equal(got, au) {
			t.Fatalf("picture %d: %d bytes went in, other %d came out", n, len(au), len(got))
		}
		if isKey(au) && packets[0].Payload[0]&0x1f != 24 {
			t.Errorf("picture %d: the key frame starts with a packet of type %d, want STAP-A with the parameter sets", n, packets[0].Payload[0]&0x1f)
		}
	}
}

func checkPacket(t *testing.T, p *rtp.Packet, seq uint16, timestamp uint32, last bool) {
	t.Helper()
	if p.SequenceNumber != seq || p.Timestamp != timestamp || p.Marker != last || p.Extension {
		t.Fatalf("header %+v, want sequence number %d, timestamp %d, marker %v, no extension", p.Header, seq, timestamp, last)
	}
	if len(p.Payload) == 0 || len(p.Payload) > maxPayload {
		t.Fatalf("a payload of %d bytes, at most %d may be", len(p.Payload), maxPayload)
	}
}

// A foreign decoder shows the pictures that went in.
func TestForeignDecoderSeesThePictures(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("this machine has no ffmpeg to decode with (Debian package ffmpeg)")
	}
	const w, h, pictures = 640, 360, 60
	e, r := encoder(t, w, h, 30, 3_000_000), newRoom(w, h)
	var stream bytes.Buffer
	var sent [][]byte
	for n := range pictures {
		img := r.draw(n)
		if au := encode(t, e, img, n == 30); len(au) > 0 {
			stream.Write(au)
			sent = append(sent, bytes.Clone(img.Y))
		}
	}
	cmd := exec.Command(ffmpeg, "-v", "error", "-f", "h264", "-i", "-", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-")
	cmd.Stdin = &stream
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	raw, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("ffmpeg: %v: %s", err, complaints.String())
	}
	const size = w * h * 3 / 2
	if len(raw) != len(sent)*size {
		t.Fatalf("%d pictures came out, %d went in", len(raw)/size, len(sent))
	}
	worst := math.Inf(1)
	for n, y := range sent {
		worst = min(worst, psnr(y, raw[n*size:][:w*h]))
	}
	t.Logf("%d pictures decoded, the worst has %.1f dB", len(sent), worst)
	if worst < 28 {
		t.Errorf("a decoded picture has %.1f dB to its original, want at least 28", worst)
	}
}

func psnr(a, b []byte) float64 {
	var sum float64
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(a))/max(sum, 1))
}

func TestTicksNeverDrift(t *testing.T) {
	for _, c := range []struct {
		passed time.Duration
		clock  int64
		want   int64
	}{
		{0, videoClock, 0},
		{time.Second, videoClock, 90_000},
		{20 * time.Millisecond, voiceClock, 960},
		{100*24*time.Hour + time.Millisecond, videoClock, 100*24*3600*90_000 + 90},
	} {
		if got := ticks(c.passed, c.clock); got != c.want {
			t.Errorf("%v at %d Hz are %d ticks, want %d", c.passed, c.clock, got, c.want)
		}
	}
}

func BenchmarkEncode720p(b *testing.B) {
	r := newRoom(1280, 720)
	var frames []*image.YCbCr
	for n := range 16 {
		img := r.draw(n)
		c := *img
		c.Y, c.Cb, c.Cr = bytes.Clone(img.Y), bytes.Clone(img.Cb), bytes.Clone(img.Cr)
		frames = append(frames, &c)
	}
	e := encoder(b, 1280, 720, 30, 2_000_000)
	b.ReportAllocs()
	defer reportCPU(b)()
	n := 0
	for b.Loop() {
		encode(b, e, frames[n&15], false)
		n++
	}
}
