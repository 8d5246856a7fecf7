package device

import (
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pion/mediadevices/pkg/driver"
)

// What of mediadevices is linked in. Its microphone driver panics without a sound card, registers ALSA's null, and does
// both at the program's start; its Opus is built for processors with AVX and dies on those without.
func TestOnlyTheseOfMediadevices(t *testing.T) {
	const lib = "github.com/pion/mediadevices/"
	allowed := []string{"pkg/codec", "pkg/codec/openh264", "pkg/driver", "pkg/io/video", "pkg/prop"}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if part, ok := strings.CutPrefix(path+"/", lib); ok && !slices.Contains(allowed, strings.TrimSuffix(part, "/")) {
				t.Errorf("%s imports %s", f.Name(), path)
			}
		}
	}
	for _, d := range driver.GetManager().Query(driver.FilterAudioRecorder()) {
		t.Errorf("an audio driver of mediadevices is linked in: %+v", d.Info())
	}
}
