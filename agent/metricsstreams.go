package agent

import (
	"scanside/agent/status"
	"scanside/media"
	"scanside/media/content"
)

func (r *reader) streams(e emitter, s *Snapshot) {
	video := s.flows[media.Video]
	e.gauge("picture_wanted_bytes_per_second", video.Wanted/8)
	e.gauge("picture_width_pixels", float64(video.Width))
	e.gauge("picture_height_pixels", float64(video.Height))
	e.gauge("picture_pace_hertz", float64(video.Pace))
	e.flag("picture_reduced", video.Reduced)
	for k, f := range s.flows {
		kind := media.Kind(k).String()
		e.count("source_packets_total", f.Packets, kind)
		e.gauge("source_frames_hertz", f.PerSecond, kind)
		e.gauge("source_last_packet_timestamp_seconds", stamp(f.LastPacket), kind)
		e.gauge("source_last_frame_timestamp_seconds", stamp(f.LastFrame), kind)
		for _, one := range content.Faults() {
			e.flag("source_fault", f.Fault == one.String(), kind, one.String())
		}
		e.count("source_restarts_total", f.Restarts, kind)
		r.devices(e, f)
		e.count("source_key_frame_requests_total", f.KeyFrames, kind)
		e.count("far_received_packets_total", f.Received, kind)
		e.count("far_lost_packets_total", f.Lost, kind)
		e.gauge("far_longest_gap_seconds", f.LongestGap/1000, kind)
	}
	for k, b := range s.Status.Return {
		e.count("return_packets_total", b.Packets, b.Kind)
		e.count("return_lost_packets_total", r.lost[k].of(b.Lost), b.Kind)
		e.count("return_repaired_packets_total", b.Repaired, b.Kind)
		e.count("return_duplicate_packets_total", b.Duplicate, b.Kind)
		e.gauge("return_last_packet_timestamp_seconds", stamp(b.LastPacket), b.Kind)
		e.gauge("return_longest_gap_seconds", b.LongestGap/1000, b.Kind)
	}
}

func (r *reader) devices(e emitter, f status.Stream) {
	for _, d := range f.Devices {
		e.flag("device_used", d.Used, f.Kind, d.Name)
		for _, c := range []string{"ok", "doubtful", "failed", "unknown"} {
			e.flag("device_condition", d.Condition == c, f.Kind, d.Name, c)
		}
		e.count("device_opens_total", d.Opens, f.Kind, d.Name)
		e.count("device_hung_total", d.Hung, f.Kind, d.Name)
		if f.Kind == media.Video.String() {
			e.count("device_bad_pictures_total", d.Bad, f.Kind, d.Name)
		}
	}
	for reason, n := range f.Choice.Takeovers {
		e.count("device_takeovers_total", n, f.Kind, reason)
	}
	if len(f.Devices) > 0 {
		e.count("device_invariant_breaches_total", f.Choice.Breaches, f.Kind)
	}
}

func loudspeaker(e emitter, s status.Loudspeaker) {
	if !s.Configured {
		return
	}
	e.flag("loudspeaker_plays", s.Plays)
	e.gauge("loudspeaker_volume_ratio", float64(s.Volume)/100)
	e.count("loudspeaker_opens_total", s.Opens)
	e.count("loudspeaker_stalls_total", s.Stalls)
	e.gauge("loudspeaker_hung_calls", float64(s.Hung))
	e.gauge("playout_delay_seconds", s.Delay/1000)
	e.gauge("playout_target_seconds", s.Target/1000)
	e.count("playout_frames_total", s.Played, "packet")
	e.count("playout_frames_total", s.Corrected, "correction")
	e.count("playout_frames_total", s.Concealed, "concealment")
	e.count("playout_dropped_packets_total", s.Late, "late")
	e.count("playout_dropped_packets_total", s.Skipped, "behind")
	e.count("playout_underruns_total", s.Underruns)
}
