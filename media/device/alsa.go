package device

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// soundCard is a card as /proc/asound shows it. Its id is what configuration names: the kernel makes it from the device's
// model, and keeps it through replugging; its index may change.
type soundCard struct {
	index    int
	id, name string
	capture  []int // numbers of its PCM devices that record
	playback []int // and that play
}

// cardLine is the first line of a card in /proc/asound/cards: " 1 [Jabra410       ]: USB-Audio - Jabra 410".
const cardLine = `^\s*(\d+)\s+\[(\S+)\s*\]:\s*(.*?)(?:\s+-\s+(.*))?$`

// soundCards lists the cards under root, which is "/" but in tests. A kernel without ALSA has none; that is no error.
func soundCards(root string) ([]soundCard, error) {
	proc := filepath.Join(root, "proc/asound")
	f, err := os.Open(filepath.Join(proc, "cards"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the sound cards: %w", err)
	}
	defer f.Close()
	line := regexp.MustCompile(cardLine)
	var cards []soundCard
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		m := line.FindStringSubmatch(lines.Text())
		if m == nil {
			continue // the second line of a card, or "--- no soundcards ---"
		}
		index, _ := strconv.Atoi(m[1]) // digits, by the expression
		folder := filepath.Join(proc, "card"+m[1])
		cards = append(cards, soundCard{
			index: index, id: m[2], name: cmp.Or(m[4], m[3]),
			capture: pcmDevices(folder, "c"), playback: pcmDevices(folder, "p"),
		})
	}
	return cards, lines.Err()
}

// pcmDevices lists the numbers of a card's PCM devices of one direction: folders pcm0c, pcm1c or pcm0p.
func pcmDevices(folder, direction string) []int {
	paths, _ := filepath.Glob(filepath.Join(folder, "pcm*"+direction))
	var numbers []int
	for _, p := range paths {
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(filepath.Base(p), "pcm"), direction))
		if err == nil {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// pcmPrefix marks a configured name as an ALSA PCM, for those who made one in asound.conf or go through a sound server:
// "pcm:pulse". Anything else is a card's id.
const pcmPrefix = "pcm:"

// findMicrophone turns a configured name into an ALSA PCM name and one for people. "" stands for the first card that
// records. Only cards the kernel lists are found, so ALSA's "null" never is: it looks like a working microphone and is
// silent for ever.
func findMicrophone(root, name string) (pcm, label string, err error) {
	return findCard(root, name, "microphone", func(c soundCard) []int { return c.capture })
}

// findCard finds the card that a configured name means, and its first device of those that are asked for. what is the word
// for it in errors.
func findCard(root, name, what string, of func(soundCard) []int) (pcm, label string, err error) {
	if p, ok := strings.CutPrefix(name, pcmPrefix); ok {
		return p, "ALSA " + p, nil
	}
	cards, err := soundCards(root)
	if err != nil {
		return "", "", err
	}
	var ids []string
	for _, c := range cards {
		devices := of(c)
		if len(devices) == 0 {
			continue
		}
		if name == "" || c.id == name {
			return fmt.Sprintf("plughw:CARD=%s,DEV=%d", c.id, devices[0]), fmt.Sprintf("%s (%s)", c.name, c.id), nil
		}
		ids = append(ids, c.id)
	}
	switch {
	case name == "":
		return "", "", fmt.Errorf("no %s found: plug one in (\"scanside devices\" lists what is there)", what)
	case len(ids) == 0:
		return "", "", fmt.Errorf("%s %s is not plugged in: check its cable (there is none)", what, name)
	}
	return "", "", fmt.Errorf("%s %s is not plugged in: check its cable, or choose another (there are: %s)", what, name, strings.Join(ids, ", "))
}

// refuseNull refuses ALSA's null device under any of its names.
func refuseNull(name string) error {
	pcm := strings.TrimPrefix(name, pcmPrefix)
	kind, _, _ := strings.Cut(pcm, ":")
	if strings.TrimSpace(kind) == "null" || (pcm == "" && name != "") {
		return fmt.Errorf("microphone %q makes silence out of nothing: name a sound card (\"scanside devices\" lists them)", name)
	}
	return nil
}
