package netns

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"scanside/media"
)

// JanusWay is what arrived of a room since the mark, over all of its publishers.
type JanusWay struct {
	Voice  JanusStream    `json:"voice"`
	Video  JanusStream    `json:"video"`
	Freeze float64        `json:"freeze_ms"` // from the last packet of the picture on the old publisher to a whole picture on the new one
	Before map[string]int `json:"before"`    // packets by publisher until the uplink was struck
}

// JanusStream counts one medium. A unit is a packet of voice or a picture.
type JanusStream struct {
	Packets int     `json:"packets"`
	Units   int     `json:"units"`  // of all publishers; where two bring one for a moment, it counts twice
	Lost    int     `json:"lost"`   // units that came from nobody
	Gap     float64 `json:"gap_ms"` // the longest silence
}

const (
	janusAPI  = "http://127.0.0.1:8088/janus"
	janusRoom = 1234
)

// JanusWatch is the helper that manages Janus' video room and counts what it forwards. It answers:
//
//	ready ENDPOINT…   makes the room and the endpoints
//	flows ENDPOINT    an error until voice and picture arrive from it
//	mark, struck      a measurement begins; the uplink was struck
//	way               what arrived since the mark
//	empty             how many publish; an error while some do
//	close             the file of pictures is complete
func JanusWatch(ctx context.Context, pictures string, in io.Reader, out io.Writer) error {
	file, err := os.Create(pictures)
	if err != nil {
		return err
	}
	defer file.Close()
	j := &janusWatch{ctx: ctx, file: file, known: map[float64]bool{}}
	return Serve(in, out, j.answer)
}

type janusWatch struct {
	ctx    context.Context
	handle string // URL
	known  map[float64]bool
	made   map[string]bool

	mu     sync.Mutex
	file   *os.File
	got    []arrival
	marked time.Time
	struck time.Time
}

// arrival is one packet.
type arrival struct {
	from  string
	kind  media.Kind
	at    time.Time
	stamp uint32
	key   bool
}

func (j *janusWatch) answer(words []string) (any, error) {
	if len(words) == 0 {
		return nil, errors.New("no question")
	}
	switch words[0] {
	case "ready":
		return nil, j.ready(words[1:])
	case "mark", "struck":
		j.mu.Lock()
		defer j.mu.Unlock()
		j.struck = time.Now()
		if words[0] == "mark" {
			j.marked = j.struck
		}
		return nil, nil
	case "flows":
		if err := j.forward(); err != nil {
			return nil, err
		}
		return nil, j.flows(words[1])
	case "way":
		return j.way(), nil
	case "empty":
		all, err := j.publishers()
		if err == nil && len(all) > 0 {
			err = fmt.Errorf("%d publish", len(all))
		}
		return len(all), err
	case "close":
		j.mu.Lock()
		defer j.mu.Unlock()
		return nil, j.file.Sync()
	}
	return nil, fmt.Errorf("%q is not a question", words)
}

func (j *janusWatch) ready(endpoints []string) error {
	if j.handle == "" {
		var made struct{ Data struct{ ID uint64 } }
		if err := post(j.ctx, janusAPI, map[string]any{"janus": "create", "transaction": "lab"}, &made); err != nil {
			return err
		}
		session := fmt.Sprintf("%s/%d", janusAPI, made.Data.ID)
		if err := post(j.ctx, session, map[string]any{"janus": "attach", "plugin": "janus.plugin.videoroom", "transaction": "lab"}, &made); err != nil {
			return err
		}
		j.handle = fmt.Sprintf("%s/%d", session, made.Data.ID)
		// The room that comes with Janus has no H.264 and 128 kbit/s.
		if err := j.ask(map[string]any{"request": "create", "room": janusRoom, "publishers": 8, "audiocodec": "opus", "videocodec": "h264", "bitrate": 0}, nil); err != nil {
			return err
		}
	}
	if j.made == nil {
		j.made = map[string]bool{}
	}
	for _, id := range endpoints {
		if j.made[id] {
			continue
		}
		// Sessions go by their label there: two with the same one would push each other out.
		if err := post(j.ctx, janusWHIP+"/create", map[string]any{"id": id, "room": janusRoom, "label": id}, nil); err != nil {
			return err
		}
		j.made[id] = true
	}
	return nil
}

// ask sends the video room a request and reads its answer.
func (j *janusWatch) ask(body map[string]any, into any) error {
	var said struct {
		Plugindata struct{ Data json.RawMessage }
	}
	if err := post(j.ctx, j.handle, map[string]any{"janus": "message", "transaction": "lab", "body": body}, &said); err != nil {
		return err
	}
	var fault struct{ Error string }
	if err := json.Unmarshal(said.Plugindata.Data, &fault); err != nil {
		return fmt.Errorf("ask janus to %v: %w", body["request"], err)
	}
	if fault.Error != "" {
		return fmt.Errorf("ask janus to %v: %s", body["request"], fault.Error)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(said.Plugindata.Data, into)
}

type janusPublisher struct {
	ID        float64
	Display   string
	Publisher bool
}

func (j *janusWatch) publishers() ([]janusPublisher, error) {
	var room struct{ Participants []janusPublisher }
	err := j.ask(map[string]any{"request": "listparticipants", "room": janusRoom}, &room)
	return slices.DeleteFunc(room.Participants, func(p janusPublisher) bool { return !p.Publisher }), err
}

// forward has every publisher that is new forwarded to sockets of ours.
func (j *janusWatch) forward() error {
	all, err := j.publishers()
	if err != nil {
		return err
	}
	for _, p := range all {
		if j.known[p.ID] {
			continue
		}
		var streams []map[string]any
		var sockets [media.NumKinds]net.PacketConn
		for k, mid := range [...]string{media.Voice: "0", media.Video: "1"} {
			c, err := net.ListenPacket("udp4", "127.0.0.1:0")
			if err != nil {
				return err
			}
			sockets[k] = c
			streams = append(streams, map[string]any{"mid": mid, "host": "127.0.0.1", "port": c.LocalAddr().(*net.UDPAddr).Port})
		}
		if err := j.ask(map[string]any{"request": "rtp_forward", "room": janusRoom, "publisher_id": p.ID, "host": "127.0.0.1", "streams": streams}, nil); err != nil {
			for _, c := range sockets {
				c.Close()
			}
			return err
		}
		j.known[p.ID] = true
		for k, c := range sockets {
			go j.receive(p.Display, media.Kind(k), c) // until the helper ends
		}
	}
	return nil
}

func (j *janusWatch) receive(from string, k media.Kind, c net.PacketConn) {
	var pictures codecs.H264Packet
	buf := make([]byte, 2000)
	whole := false
	for {
		n, _, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		var p rtp.Packet
		if p.Unmarshal(buf[:n]) != nil {
			continue
		}
		a := arrival{from, k, time.Now(), p.Timestamp, k == media.Video && media.H264KeyFrame(p.Payload)}
		whole = whole || a.key
		nals, err := pictures.Unmarshal(p.Payload)
		j.mu.Lock()
		j.got = append(j.got, a)
		if k == media.Video && whole && err == nil {
			_, _ = j.file.Write(nals)
		}
		j.mu.Unlock()
	}
}

// flows reports whether voice and picture came from a publisher within the last half second.
func (j *janusWatch) flows(from string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var came [media.NumKinds]bool
	for i := len(j.got) - 1; i >= 0 && time.Since(j.got[i].at) < time.Second/2; i-- {
		if j.got[i].from == from {
			came[j.got[i].kind] = true
		}
	}
	if came != [media.NumKinds]bool{true, true} {
		return fmt.Errorf("voice %v, picture %v", came[media.Voice], came[media.Video])
	}
	return nil
}

func (j *janusWatch) way() JanusWay {
	j.mu.Lock()
	defer j.mu.Unlock()
	way := JanusWay{Before: map[string]int{}}
	var kinds [media.NumKinds][]arrival
	for _, a := range j.got {
		if a.at.Before(j.marked) {
			continue
		}
		kinds[a.kind] = append(kinds[a.kind], a)
		if a.at.Before(j.struck) {
			way.Before[a.from]++
		}
	}
	way.Voice = count(kinds[media.Voice], 960, 48000)
	way.Video = count(kinds[media.Video], 3000, 90000)
	way.Freeze = freeze(kinds[media.Video])
	return way
}

// pause is a silence that a link in use does not show.
const pause = 100 * time.Millisecond

// count counts one medium's arrivals, which are in order of time; step is a unit's length by its clock of rate Hz. What is lost
// within a publisher's stream is known by its timestamps; what is lost in a silence of all of them by its length, for Janus
// gives each publisher timestamps of its own.
func count(all []arrival, step, rate uint32) (s JanusStream) {
	unit := time.Duration(step) * time.Second / time.Duration(rate)
	units := map[string]uint32{}
	last := map[string]arrival{}
	for i, a := range all {
		if i > 0 {
			silence := a.at.Sub(all[i-1].at)
			s.Gap = max(s.Gap, float64(silence.Microseconds())/1000)
			if silence >= pause {
				s.Lost += max(int((silence+unit/2)/unit)-1, 0)
			}
		}
		before, known := last[a.from]
		ahead := int32(a.stamp - before.stamp)
		if known && ahead > 0 && a.at.Sub(before.at) < pause {
			s.Lost += max(int((uint32(ahead)+step/2)/step)-1, 0)
		}
		if !known || ahead > 0 {
			last[a.from] = a
			units[a.from]++
		}
	}
	for _, n := range units {
		s.Units += int(n)
	}
	s.Packets = len(all)
	return s
}

// freeze is how long a viewer who goes over to the new publisher sees a standing picture; 0: the picture never changed hands, or
// both brought it for a while.
func freeze(video []arrival) (ms float64) {
	last := map[string]time.Time{}
	for _, a := range video {
		_, known := last[a.from]
		for from, at := range last {
			if !known && a.key && from != a.from {
				ms = max(ms, float64(a.at.Sub(at).Microseconds())/1000)
			}
		}
		if known || a.key || len(last) == 0 {
			last[a.from] = a.at
		}
	}
	return ms
}

// post sends JSON and reads the answer.
func post(ctx context.Context, url string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("POST %s: %s: %.100s", url, res.Status, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}
