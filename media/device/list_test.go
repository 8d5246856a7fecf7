package device

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// machine builds a root folder with what the kernel and udev would show: files, and links (those with "→").
func machine(t *testing.T, entries ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, e := range entries {
		name, content, _ := strings.Cut(e, "=")
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, link := strings.CutPrefix(content, "→"); link {
			err = os.Symlink(target, path)
		} else {
			err = os.WriteFile(path, []byte(content), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// Two loopback cards as in the virtual machine, a USB speakerphone, and a card that only plays.
const fourCards = "proc/asound/cards=" + ` 0 [RoomMic        ]: Loopback - Loopback
                      Loopback 1
 1 [RoomSpk        ]: Loopback - Loopback
                      Loopback 2
 2 [Jabra410       ]: USB-Audio - Jabra SPEAK 410 USB
                      Jabra SPEAK 410 USB at usb-0000:00:14.0-2, full speed
 3 [HDMI           ]: HDA-Intel - HDA Intel HDMI
                      HDA Intel HDMI at 0xf7e14000 irq 33
`

func soundMachine(t *testing.T) string {
	return machine(t, fourCards,
		"proc/asound/card0/pcm0c/info=", "proc/asound/card0/pcm0p/info=", "proc/asound/card0/pcm1c/info=",
		"proc/asound/card1/pcm0p/info=",
		"proc/asound/card2/pcm0c/info=", "proc/asound/card2/pcm0p/info=",
		"proc/asound/card3/pcm3p/info=")
}

func TestFindMicrophone(t *testing.T) {
	full := soundMachine(t)
	none := machine(t, "proc/asound/cards=--- no soundcards ---\n")
	for _, c := range []struct {
		name, root, device string
		pcm, problem       string
	}{
		{"by its card's id", full, "Jabra410", "plughw:CARD=Jabra410,DEV=0", ""},
		{"none named: the first that records", full, "", "plughw:CARD=RoomMic,DEV=0", ""},
		{"a card that only plays", full, "HDMI", "", "there are: RoomMic, Jabra410"},
		{"an index is not a name", full, "2", "", "not plugged in"},
		{"ALSA's null", full, "null", "", "not plugged in"},
		{"a named PCM", full, "pcm:pulse", "pulse", ""},
		{"none there", none, "", "", "no microphone found"},
		{"named, none there", none, "Jabra410", "", "Jabra410 is not plugged in"},
		{"no ALSA at all", t.TempDir(), "", "", "no microphone found"},
	} {
		pcm, label, err := findMicrophone(c.root, c.device)
		if pcm != c.pcm || (err == nil) != (c.problem == "") || (err != nil && !strings.Contains(err.Error(), c.problem)) {
			t.Errorf("%s: %q (%s), %v; want %q, %q", c.name, pcm, label, err, c.pcm, c.problem)
		}
	}
}

// FACTS: ALSA's null PCM registers as a microphone and records zeros for ever.
func TestNullIsRefused(t *testing.T) {
	for _, name := range []string{"null", "pcm:null", "pcm:null:x", "pcm:", "pcm: null"} {
		if _, err := NewMicrophone(MicrophoneConfig{Devices: []string{name}}); err == nil {
			t.Errorf("%q was accepted as a microphone", name)
		}
	}
}

func TestFindCamera(t *testing.T) {
	root := machine(t,
		"dev/video0=", "dev/video1=", "dev/video10=",
		"dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_1A2B-video-index0=→../../video0",
		"dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_1A2B-video-index1=→../../video1",
		"dev/v4l/by-id/usb-gone-video-index0=→../../video7",
		"dev/v4l/by-path/pci-0000:00:14.0-usb-0:1:1.0-video-index0=→../../video0",
	)
	video0 := filepath.Join(root, "dev/video0")
	for _, c := range []struct{ name, device, node, problem string }{
		{"by id", "usb-046d_HD_Pro_Webcam_C920_1A2B-video-index0", video0, ""},
		{"by path", "pci-0000:00:14.0-usb-0:1:1.0-video-index0", video0, ""},
		{"by node's name", "video10", filepath.Join(root, "dev/video10"), ""},
		{"by a link's whole path", filepath.Join(root, "dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_1A2B-video-index0"), video0, ""},
		{"pulled out, its link left", "usb-gone-video-index0", "", "not plugged in"},
		{"never there", "Webcam", "", "there are: usb-046d_HD_Pro_Webcam_C920_1A2B-video-index0"},
		{"none named, and none of these is a camera", "", "", "no camera found"},
	} {
		node, err := findCamera(root, c.device)
		if node != c.node || (err == nil) != (c.problem == "") || (err != nil && !strings.Contains(err.Error(), c.problem)) {
			t.Errorf("%s: %q, %v; want %q, %q", c.name, node, err, c.node, c.problem)
		}
	}
	nodes := videoNodes(root)
	if len(nodes) != 3 || nodes[2].path != filepath.Join(root, "dev/video10") || len(nodes[0].names) != 2 || !strings.Contains(nodes[0].names[0], "by-id") {
		t.Errorf("nodes %v, want three in order, the first with its by-id name before its by-path name", nodes)
	}
}

func TestListWithNothingPluggedIn(t *testing.T) {
	inv := list(t.TempDir())
	var text bytes.Buffer
	if err := inv.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	want := `no camera found: plug one in; Linux then shows /dev/video0
no microphone found: plug one in; Linux then lists its card in /proc/asound/cards (this kernel has no ALSA)
no loudspeaker found: plug one in; Linux then lists its card in /proc/asound/cards (this kernel has no ALSA)
`
	if text.String() != want {
		t.Errorf("got\n%swant\n%s", text.String(), want)
	}
	js, err := json.Marshal(inv)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(js), `{"cameras":[],"microphones":[],"loudspeakers":[],"notes":["no camera`) {
		t.Errorf("JSON %s: lists must be empty, not null", js)
	}
}

func TestListSound(t *testing.T) {
	inv := list(soundMachine(t))
	var text bytes.Buffer
	if err := inv.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	want := `microphone   RoomMic
             Loopback, card0
microphone   Jabra410
             Jabra SPEAK 410 USB, card2
loudspeaker  RoomMic
             Loopback, card0
loudspeaker  RoomSpk
             Loopback, card1
loudspeaker  Jabra410
             Jabra SPEAK 410 USB, card2
loudspeaker  HDMI
             HDA Intel HDMI, card3
no camera found: plug one in; Linux then shows /dev/video0
`
	if text.String() != want {
		t.Errorf("got\n%swant\n%s", text.String(), want)
	}
}

func TestListCameraText(t *testing.T) {
	inv := Inventory{Cameras: []CameraInfo{{
		Device: "/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_1A2B-video-index0", Node: "/dev/video0",
		Names: []string{"/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_1A2B-video-index0", "/dev/v4l/by-path/pci-0000:00:14.0-usb-0:1:1.0-video-index0"},
		Card:  "HD Pro Webcam C920", Bus: "usb-0000:00:14.0-1",
		Modes:  []Mode{{"MJPG", 640, 480, 30}, {"MJPG", 1280, 720, 30}, {"YUYV", 1280, 720, 7.5}, {"YUYV", 1920, 1080, 0}},
		Chosen: &Mode{"MJPG", 1280, 720, 30},
	}, {Device: "/dev/video4", Node: "/dev/video4", Problem: "camera /dev/video4 may not be opened"}}}
	var text bytes.Buffer
	if err := inv.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	want := `camera       /dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_1A2B-video-index0
             HD Pro Webcam C920 usb-0000:00:14.0-1, /dev/video0
             also /dev/v4l/by-path/pci-0000:00:14.0-usb-0:1:1.0-video-index0
             MJPG 640x480@30, 1280x720@30
             YUYV 1280x720@7.5, 1920x1080
             by default: MJPG 1280x720@30
camera       /dev/video4
             problem: camera /dev/video4 may not be opened
`
	if text.String() != want {
		t.Errorf("got\n%swant\n%s", text.String(), want)
	}
}

// This machine's own devices, whatever they are: an answer, no panic.
func TestListThisMachine(t *testing.T) {
	inv := List()
	t.Logf("%d cameras, %d microphones, %d loudspeakers; %v", len(inv.Cameras), len(inv.Microphones), len(inv.Loudspeakers), inv.Notes)
}
