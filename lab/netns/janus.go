package netns

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"scanside/lab/scenario"
)

// Janus is what a foreign WHIP server got: Debian's janus behind simple-whip-server, its video room forwarding every publisher
// as RTP to a counter. First from an agent over two uplinks, one in use and one standing by, the one in use going dead and
// coming back; then from a gateway that merges both uplinks and passes the room on.
type Janus struct {
	Figure    string   `json:"figure"`
	Agent     JanusWay `json:"agent_cut"`            // the uplink in use is black-holed
	Return    JanusWay `json:"agent_return"`         // it is back and in use again
	Again     float64  `json:"killed_agent_back_ms"` // from its next start to voice and picture, at endpoints that are still taken
	Republish JanusWay `json:"republish_cut"`        // the same cut, behind the gateway
	Left      int      `json:"sessions_left"`        // publishers after agent and gateway were told to stop
	Decoded   int      `json:"frames_decoded"`       // of all that arrived, by ffmpeg; -1: it is not installed
	Size      string   `json:"size"`                 // of these
	Standby   int      `json:"standby_media"`        // packets of media on the uplink that stood by
}

const (
	janusWHIP  = "http://" + farAddress + ":7080/whip"
	janusAfter = 6 * time.Second // after a cut: detection, takeover and some calm
	janusCalm  = 3 * time.Second
)

// MeasureJanus runs it. root is a Debian tree with janus and simple-whip-server.
func MeasureJanus(ctx context.Context, cfg Config, root string) (Janus, error) {
	cfg.Republish = janusWHIP + "/endpoint/{site}-merged"
	w, err := NewWorld(ctx, cfg, uplinksOf())
	if err != nil {
		return Janus{}, err
	}
	defer w.Close()
	j := &janus{World: w, root: root}
	if err := j.start(ctx); err != nil {
		return Janus{}, err
	}
	return j.measure(ctx)
}

type janus struct {
	*World
	root  string
	watch *helper
	room  *helper
}

// janusFiles are the server's configuration: no plugin but the video room, nothing but loopback and the far end's address.
var janusFiles = map[string]string{
	"janus.jcfg": `general: {
  configs_folder = "DIR"
  plugins_folder = "/usr/lib/x86_64-linux-gnu/janus/plugins"
  transports_folder = "/usr/lib/x86_64-linux-gnu/janus/transports"
  interface = "` + farAddress + `"
  debug_level = 4
}
plugins: { disable = "libjanus_voicemail.so,libjanus_audiobridge.so,libjanus_duktape.so,libjanus_echotest.so,libjanus_lua.so,libjanus_nosip.so,libjanus_recordplay.so,libjanus_sip.so,libjanus_streaming.so,libjanus_textroom.so,libjanus_videocall.so" }
transports: { disable = "libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_rabbitmq.so,libjanus_pfunix.so" }
`,
	"janus.transport.http.jcfg":       "general: { json = \"compact\", http = true, port = 8088, interface = \"lo\", base_path = \"/janus\", https = false }\nadmin: { admin_http = false }\n",
	"janus.transport.websockets.jcfg": "general: { json = \"compact\", ws = true, ws_port = 8188, ws_interface = \"lo\" }\nadmin: { admin_ws = false }\n",
	"janus.plugin.videoroom.jcfg":     "general: { }\n",
}

func (j *janus) start(ctx context.Context) error {
	dir, err := os.MkdirTemp(filepath.Join(j.root, "tmp"), "lab-")
	if err != nil {
		return fmt.Errorf("%w; make the tree first (lab/janus/chroot.sh)", err)
	}
	j.stops = append(j.stops, func() { _ = os.RemoveAll(dir) })
	inside := strings.TrimPrefix(dir, strings.TrimRight(j.root, "/"))
	for name, text := range janusFiles {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(text, "DIR", inside)), 0o644); err != nil {
			return err
		}
	}
	clean := func(cmd *exec.Cmd) {
		cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "NODE_PATH=/usr/share/nodejs"}
	}
	for name, command := range map[string][]string{
		"janus": {"chroot", j.root, "/usr/bin/janus", "-F", inside},
		"whip":  {"chroot", j.root, "/usr/bin/node", "/usr/share/simple-whip-server/src/server.js"}, // waits for janus by itself
	} {
		p, err := start(j.place.far, j.dir, name, measured, clean, command...)
		if err != nil {
			return err
		}
		j.stops = append(j.stops, p.stop)
	}
	if j.watch, err = j.helper(j.place.far, "janus-watch", measured, "janus", filepath.Join(j.dir, "picture.h264")); err != nil {
		return err
	}
	endpoints := []string{site + "-merged"}
	for _, u := range j.uplinks {
		endpoints = append(endpoints, site+"-"+u.Name)
	}
	return until(ctx, starting, 10*soon, "janus and its WHIP server answer", j.programs(), func() error {
		return j.watch.ask("ready "+strings.Join(endpoints, " "), nil)
	})
}

func (j *janus) measure(ctx context.Context) (f Janus, err error) {
	f.Figure = "janus"
	primary, cellular, merged := site+"-primary", site+"-cellular", site+"-merged"
	j.say("an agent sends to Janus over two uplinks, one in use")
	j.files.foreign = janusWHIP + "/endpoint/{site}-{uplink}"
	if err := j.agentUp(ctx, "foreign"); err != nil {
		return f, err
	}
	if err := j.flows(ctx, primary); err != nil {
		return f, err
	}
	if f.Agent, err = j.cut(ctx, primary, cellular); err != nil {
		return f, err
	}
	f.Standby = f.Agent.Before[cellular]
	j.say("the uplink comes back")
	if err := errors.Join(j.watch.ask("mark", nil), j.do(scenario.Event{Verb: scenario.Restore, Uplink: "primary"})); err != nil {
		return f, err
	}
	if err := j.flows(ctx, primary); err != nil {
		return f, err
	}
	if err := sleep(ctx, janusCalm); err != nil {
		return f, err
	}
	if err := j.watch.ask("way", &f.Return); err != nil {
		return f, err
	}
	if f.Again, err = j.again(ctx, primary); err != nil {
		return f, err
	}
	j.agent.stop()
	j.say("an agent sends to the gateway, which passes the room on to Janus")
	j.files.foreign = ""
	if err := j.agentUp(ctx, "merged"); err != nil {
		return f, err
	}
	if err := j.flows(ctx, merged); err != nil {
		return f, err
	}
	if f.Republish, err = j.cut(ctx, merged, merged); err != nil {
		return f, err
	}
	j.agent.stop()
	j.gateway.stop()
	if err := until(ctx, starting, 10*soon, "nobody publishes any more", nil, func() error { return j.watch.ask("empty", &f.Left) }); err != nil {
		j.say("%v", err)
	}
	if err := j.watch.ask("close", nil); err != nil {
		return f, err
	}
	f.Decoded, f.Size = decode(ctx, filepath.Join(j.dir, "picture.h264"))
	return f, nil
}

// agentUp starts an agent and waits until both its uplinks are up.
func (j *janus) agentUp(ctx context.Context, name string) error {
	if err := j.startAgent(name, "test", scenario.Scenario{Uplinks: j.uplinks, Voice: "always", Video: "always"}); err != nil {
		return err
	}
	var err error
	if j.room, err = j.helper(j.place.room, "room-"+name, measured, "room", pageURL); err != nil {
		return err
	}
	return until(ctx, proving, 4*soon, "both uplinks are up", j.programs(j.room, j.watch), func() error { return j.room.ask("up "+j.names(), nil) })
}

// flows waits until voice and picture of a publisher arrive.
func (j *janus) flows(ctx context.Context, who string) error {
	return until(ctx, proving, 2*soon, "voice and picture arrive from "+who, j.programs(j.watch), func() error { return j.watch.ask("flows "+who, nil) })
}

// cut black-holes the primary while from is in use and returns what arrived until some time after to was.
func (j *janus) cut(ctx context.Context, from, to string) (way JanusWay, err error) {
	if err := sleep(ctx, janusCalm); err != nil {
		return way, err
	}
	if err := j.watch.ask("mark", nil); err != nil {
		return way, err
	}
	if err := sleep(ctx, janusCalm); err != nil {
		return way, err
	}
	j.say("primary is cut")
	if err := errors.Join(j.watch.ask("struck", nil), j.do(scenario.Event{Verb: scenario.Cut, Uplink: "primary"})); err != nil {
		return way, err
	}
	if err := j.flows(ctx, to); err != nil {
		return way, err
	}
	if err := sleep(ctx, janusAfter); err != nil {
		return way, err
	}
	return way, j.watch.ask("way", &way)
}

// again kills the agent, so that nobody tells the server, and starts it anew: it has to end what it left before it may publish.
func (j *janus) again(ctx context.Context, who string) (ms float64, err error) {
	j.say("the agent is killed, and started again")
	if err := syscall.Kill(j.agent.pid(), syscall.SIGKILL); err != nil {
		return 0, err
	}
	<-j.agent.done
	if err := sleep(ctx, janusCalm); err != nil {
		return 0, err
	}
	if err := j.startAgent("foreign", "test", scenario.Scenario{Uplinks: j.uplinks}); err != nil {
		return 0, err
	}
	err = j.flows(ctx, who)
	return float64(time.Since(j.started).Microseconds()) / 1000, err
}

// decode has ffmpeg count the pictures: that they arrive is one thing, that they are pictures another.
func decode(ctx context.Context, path string) (frames int, size string) {
	out, err := exec.CommandContext(ctx, "ffprobe", "-v", "error", "-count_frames", "-select_streams", "v",
		"-show_entries", "stream=width,height,nb_read_frames", "-of", "csv=p=0", path).Output()
	fields := strings.Split(strings.TrimSpace(string(out)), ",")
	if err != nil || len(fields) != 3 {
		return -1, ""
	}
	frames, _ = strconv.Atoi(fields[2])
	return frames, fields[0] + "x" + fields[1]
}
