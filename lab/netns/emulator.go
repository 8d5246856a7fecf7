package netns

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"scanside/lab/emu"
	"scanside/lab/emu/tun"
	"scanside/lab/scenario"
)

// Emulator is the helper that carries packets between the namespaces. It answers:
//
//	ready              the devices are there
//	do VERB NAME …     an event of a scenario (not ifdown and ifup)
//	forget             what first says begins anew
//	first              when each uplink first brought media to the far end since, in ns since 1970
//	counters           what became of the packets
//
// near names the namespaces of uplinks whose near end is not in the room.
func Emulator(room, far string, uplinks []scenario.Uplink, near map[string]string, in io.Reader, out io.Writer) error {
	set := emu.NewSet(1, scenario.Scenario{Uplinks: uplinks}.Paths()...)
	defer set.Close()
	seen := &firsts{}
	for _, u := range uplinks {
		at := room
		if other := near[u.Name]; other != "" {
			at = other
		}
		a, err := tun.Open(at, u.Name)
		if err != nil {
			return err
		}
		b, err := tun.Open(far, u.Name)
		if err != nil {
			return err
		}
		up, down, err := set.Lines(u.Name)
		if err != nil {
			return err
		}
		joint := tun.Join(a, b, up, down, func(packet []byte) { seen.see(u.Name, packet) })
		defer joint.Close()
	}
	return Serve(in, out, func(words []string) (any, error) {
		switch strings.Join(words[:min(1, len(words))], "") {
		case "ready":
			return nil, nil
		case "do":
			e, err := scenario.ParseEvent(strings.Join(words[1:], " "), uplinks)
			if err != nil {
				return nil, err
			}
			return nil, e.Apply(set)
		case "forget":
			seen.forget()
			return nil, nil
		case "first":
			return seen.times(), nil
		case "counters":
			return counters(set, uplinks), nil
		}
		return nil, fmt.Errorf("%q is not a question", words)
	})
}

// firsts is when each uplink first brought media.
type firsts struct {
	mu sync.Mutex
	at map[string]int64
}

func (f *firsts) see(uplink string, packet []byte) {
	if !isMedia(packet) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.at[uplink]; !known {
		if f.at == nil {
			f.at = map[string]int64{}
		}
		f.at[uplink] = time.Now().UnixNano()
	}
}

func (f *firsts) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = nil
}

func (f *firsts) times() map[string]int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	times := map[string]int64{}
	for k, v := range f.at {
		times[k] = v
	}
	return times
}

// isMedia knows an SRTP packet in IPv4 and UDP by its first bytes (RFC 7983 section 7: 128…191) and tells RTP from RTCP
// (RFC 5761 section 4: packet types 192…223).
func isMedia(packet []byte) bool {
	const udp = 17
	if len(packet) < 20 || packet[0]>>4 != 4 || packet[9] != udp || binary.BigEndian.Uint16(packet[6:])&0x1fff != 0 {
		return false
	}
	payload := int(packet[0]&0x0f)*4 + 8
	if len(packet) < payload+12 {
		return false
	}
	first, second := packet[payload], packet[payload+1]
	return first >= 128 && first <= 191 && (second < 192 || second > 223)
}

// Traffic is what became of an uplink's packets.
type Traffic struct{ Up, Down emu.Counters }

func counters(set *emu.Set, uplinks []scenario.Uplink) map[string]Traffic {
	all := map[string]Traffic{}
	for _, u := range uplinks {
		if up, down, err := set.Lines(u.Name); err == nil {
			all[u.Name] = Traffic{up.Counters(), down.Counters()}
		}
	}
	return all
}
