package results

import (
	"cmp"
	"fmt"
	"strings"
)

// row is one target.
type row struct {
	id, target string
	what       []what
}

// what is one thing measured about it.
type what struct {
	source string
	tell   func(printed) string
}

// from says a sentence with a source's numbers in it.
func from(source, sentence string) what {
	return what{source, func(p printed) string { return p.say(sentence) }}
}

// cutting says a sentence with the numbers of one kind of cut in it.
func cutting(kind, sentence string) what {
	return what{"g3", func(p printed) string {
		for _, line := range p.lines {
			if line["case"] == kind {
				return printed{lines: []map[string]any{line}}.say(sentence)
			}
		}
		return printed{why: cmp.Or(p.why, "no cut of this kind was printed")}.say("")
	}}
}

// each says a sentence for every line that was printed.
func each(source, sentence string) what {
	return what{source, func(p printed) string {
		if p.why != "" {
			return p.say("")
		}
		var all []string
		for _, line := range p.lines {
			all = append(all, told(line, sentence))
		}
		return strings.Join(all, "<br>")
	}}
}

// told puts a line's words and numbers into a sentence.
func told(line map[string]any, sentence string) string {
	for name, value := range line {
		if word, ok := value.(string); ok {
			sentence = strings.ReplaceAll(sentence, "{"+name+"}", word)
		}
	}
	return printed{lines: []map[string]any{line}}.say(sentence)
}

// among says a sentence for every element of a list in the lines.
func among(source, list, sentence string) what {
	return what{source, func(p printed) string {
		if p.why != "" {
			return p.say("")
		}
		var all []string
		for _, line := range p.lines {
			elements, _ := line[list].([]any)
			for _, e := range elements {
				if m, ok := e.(map[string]any); ok {
					all = append(all, told(m, sentence))
				}
			}
		}
		return strings.Join(all, "<br>")
	}}
}

// with says a sentence with benchmarks in it, given as name and unit in turn.
func with(source, sentence string, names ...string) what {
	return what{source, func(p printed) string {
		if p.why != "" {
			return "not measured: " + p.why
		}
		var values []any
		for i := 0; i+1 < len(names); i += 2 {
			values = append(values, p.benchmark(names[i], names[i+1]))
		}
		return fmt.Sprintf(sentence, values...)
	}}
}

const cut = "voice {voice.lost} lost, longest gap {voice.longest_gap_ms} ms; back {return.voice.lost} lost, {return.voice.longest_gap_ms} ms"

func rows() []row {
	return []row{
		{"G1", "voice, both directions: 0 lost, no silence beyond cadence and skew (40 ms), on any cut of one uplink", []what{
			from("blackhole-primary-bubble", "in memory: "+cut),
			from("blackhole-primary-netns", "namespaces, primary: "+cut),
			from("blackhole-cellular-netns", "namespaces, cellular: "+cut),
			from("soak-netns", "ten minutes of random cuts: voice {voice.lost} of {voice.sent} lost, longest gap {voice.longest_gap_ms} ms; back {return.voice.lost} lost"),
		}},
		{"G2", "picture under always: freeze of one frame and skew (53 ms), 0 key frames asked for", []what{
			from("blackhole-primary-bubble", "in memory: {video.frames_lost} frames lost, freeze {video.longest_freeze_ms} ms, {video.key_frame_requests} key frames"),
			from("blackhole-primary-netns", "namespaces: {video.frames_lost} frames lost, freeze {video.longest_freeze_ms} ms, {video.key_frame_requests} key frames"),
		}},
		{"G3", "picture under on-doubt, both ways: 0 frames lost, freeze <= 150 ms p50, <= 250 ms p95", []what{
			cutting("black hole", "{cuts} black holes at random moments, in memory: {frames_lost} frames and {voice_lost} voice packets lost both ways together, {key_frame_requests} key frames; freeze {ms.freeze.p50} ms p50, {ms.freeze.p95} ms p95; back {ms.return freeze.p50} and {ms.return freeze.p95} ms"),
			from("blackhole-primary-ondoubt-netns", "namespaces, one cut: {video.frames_lost} frames lost, freeze {video.longest_freeze_ms} ms; back {return.video.frames_lost} lost, {return.video.longest_freeze_ms} ms"),
		}},
		{"G4", "black hole detected <= 100 ms p50, <= 150 ms p99 while media flows", []what{
			cutting("black hole", "suspected after {ms.suspected.p50} ms p50, {ms.suspected.p99} ms p99"),
			from("blackhole-primary-netns", "namespaces, one cut: after {detect_ms} ms; ruled and left after {switch_ms} ms"),
		}},
		{"G5", "one-way failure detected <= RTT + feedback interval + 50 ms (120 ms)", []what{
			cutting("room to far end alone", "room to far end: {ms.suspected.p50} ms p50, {ms.suspected.p99} ms p99"),
			cutting("far end to room alone", "far end to room: {ms.suspected.p50} ms p50, {ms.suspected.p99} ms p99"),
		}},
		{"G6", "the way back follows within one one-way delay (30 ms), no signalling", []what{
			cutting("black hole", "{ms.way back.p50} ms p50, {ms.way back.max} ms at most after the first packet on the new uplink"),
		}},
		{"G7", "Engine.Step <= 1 us, 0 allocations; Merger <= 200 ns, 0 allocations; one more copy <= 1 us", []what{
			with("engine", "Step: %s ns (echo), %s ns (report), %s allocations", "EngineEcho", "ns/op", "EngineReport", "ns/op", "EngineEcho", "allocs/op"),
			with("media", "processor time of a packet on no leg, one, two: %s, %s, %s ns", "Fanout/burst=1/legs=0", "cpu-ns/op", "Fanout/burst=1/legs=1", "cpu-ns/op", "Fanout/burst=1/legs=2", "cpu-ns/op"),
			with("media", "Merger: %s ns of processor time, %s allocations; a lock taken and given back: %s ns", "Merger", "cpu-ns/op", "Merger", "allocs/op", "Reference", "cpu-ns/op"),
		}},
		{"G8", "0 false rulings of Down in 720 simulated hours at 20 % loss and 100 ms jitter; <= 1 an hour on recorded LTE uplinks", []what{
			each("g8", "{link}, {probes_per_second} probes a second: {false_downs} in {hours} hours"),
			from("soak", "{days} days of random faults: {false_downs} that nothing excuses, of {downs}"),
		}},
		{"G9", "switching back: 0 lost, only after 10 s of delivered copies, doubling on flaps; not while a procedure is open", []what{
			each("g9", "failure {failure}: back after {back_after_s} s (at least {at_least_s}): {voice_lost} packets of voice and {frames_lost} frames lost, freeze {longest_freeze_ms} ms, {key_frame_requests} key frames"),
		}},
		{"G10", ">= 99.99 % of voice frames within 200 ms on two LTE traces at once", []what{
			each("g10", "{primary} and {cellular}, {minutes} min: {percent_within_200_ms} % of {voice_sent} within 200 ms, {voice_lost} lost, longest gap {longest_gap_ms} ms; picture {frames_lost} of {frames_sent} frames lost, freeze {longest_freeze_ms} ms"),
		}},
		{"G11", "standby <= 0.5 MB/h on the metered uplink; in a procedure <= 25 MB/h per direction", []what{
			from("g11", "in memory: standby {idle_mb_per_hour} MB/h; in a procedure, a physician talking: {procedure_sent_mb_per_hour} MB/h sent, {procedure_received_mb_per_hour} received"),
		}},
		{"G12", "all dead <= 25 s: media <= 1 RTT + 100 ms after the first returns; longer, or far end restarted: <= 2 s", []what{
			among("g12", "recoveries", "{what}, dead {dead_s} s: voice {voice_ms} ms, picture {picture_ms} ms (aim {aim_ms})"),
			among("recovery", "steps", "namespaces: {what}: connected again after {connected_again_ms} ms"),
		}},
		{"G13", "nothing single-homed: signalling, DNS, probes, metrics over any living uplink within 1 s", []what{
			each("g13", "in memory, {dead} dead: who is at the far end is heard again after {people_said_again_ms} ms; a far end that restarts is found again after {restarted_far_end_ms} ms"),
			{"recovery", single},
		}},
		{"G14", "every switch explained: cause, evidence, gap, bytes; in a sentence, a histogram, a record, with a trace that replays to the same decision", []what{
			from("g14", "of {switchovers} with a need: {with_sentence} have a sentence, {with_evidence} cause and evidence, {with_measured_gap} the gap both ways, {with_record} a record the same as the page, {replayed_the_same} a trace that replays to the recorded decisions by hash; {that_sent_again} sent packets again and say how many bytes; {in_histogram} in the histogram"),
		}},
		{"G15", "processor of two links <= 1.1 of one at 720p30; RSS <= 120 MB", []what{
			from("g15", "ratio {ratio}: {one_link_cpu_percent} % of a core and {two_links_cpu_percent} %; {two_links_rss_mb} MB"),
		}},
		{"G16", "process start to media <= 1 s on the first link, <= 2 s on both; status page <= 200 ms", []what{
			from("g16", "first {first_link_ms_p50} ms (worst {first_link_ms_max}), both {both_links_ms_p50} ms (worst {both_links_ms_max}), page {status_page_ms_p50} ms"),
		}},
		{"voice", "mouth to ear <= 150 ms is as good as none, <= 400 ms can be talked over (ITU-T G.114); speech goes on while an uplink is cut", []what{
			each("mouth-to-ear", "{way}: {delay_ms_p50} ms p50, {delay_ms_p95} ms p95; {unheard} of {pieces} pieces of speech not recognised"),
		}},
		{"more", "simulated days of random faults: invariants hold, nothing grows; behind hospital firewalls media finds a way", []what{
			from("soak", "{days} days, {steps} steps, {faults} faults: {breaches} breaches, {voice_lost_while_one_is_well} voice packets lost while an uplink was well; heap {heap_start_bytes} bytes after an hour, {heap_end_bytes} at the end"),
			each("firewall", "wall {wall}: media by {path} {first_ms} ms after the start, {again_ms} ms after the gateway came back; a cut lost {voice_lost} and {return_lost} packets of voice"),
		}},
	}
}

// single is what recovery has for a far end that is known by its name, and restarted while either uplink is dead.
func single(p printed) string {
	if p.why != "" {
		return p.say("")
	}
	steps, _ := p.lines[len(p.lines)-1]["steps"].([]any)
	var all []string
	for _, s := range steps {
		if m, ok := s.(map[string]any); ok && strings.HasPrefix(fmt.Sprint(m["what"]), "far end restarted while") {
			all = append(all, told(m, "namespaces, look-up of its name included: {what}: connected again after {connected_again_ms} ms"))
		}
	}
	return strings.Join(all, "<br>")
}
