// Counts in a real browser what a person at the console sees. Loaded before the page's own scripts.
"use strict";

window.scansideLab = (() => {
	const peers = [];
	const Real = window.RTCPeerConnection;
	window.RTCPeerConnection = class extends Real {
		constructor(...args) {
			super(...args);
			peers.push(this);
		}
	};

	let video = null; // the element that shows the room
	let last = 0; // when the newest picture reached the screen, ms
	let longest = 0;
	let quiet = null; // the longest before the first blow: what this machine does by itself
	let blow = 0; // the longest in the time after the first blow
	let struckAt = 0;
	let frames = 0;
	let before = null; // statistics at mark
	let result = null;

	const wake = 5000; // ms after a blow in which a freeze is put down to it

	// gap takes in a pause between two pictures that began at from.
	function gap(ms, from) {
		longest = Math.max(longest, ms);
		if (struckAt && from + ms > struckAt && from < struckAt + wake) blow = Math.max(blow, ms);
	}

	function look() {
		const playing = [...document.querySelectorAll("video")].filter(v => v.videoWidth > 0 && !v.paused);
		playing.sort((a, b) => b.videoWidth * b.clientWidth - a.videoWidth * a.clientWidth);
		if (!playing.length || playing[0] === video) return;
		video = playing[0];
		const tick = (now, picture) => {
			if (last) gap(picture.presentationTime - last, last);
			last = picture.presentationTime;
			frames++;
			video.requestVideoFrameCallback(tick);
		};
		video.requestVideoFrameCallback(tick);
	}

	// statistics sums what all connections receive.
	async function statistics() {
		const sum = {};
		const add = (name, value) => { sum[name] = (sum[name] || 0) + (value || 0); };
		for (const peer of peers) {
			if (peer.connectionState === "closed") continue;
			for (const s of (await peer.getStats()).values()) {
				if (s.type !== "inbound-rtp") continue;
				if (s.kind === "video") {
					add("freeze_count", s.freezeCount);
					add("freezes_ms", s.totalFreezesDuration * 1000);
					add("frames_dropped", s.framesDropped);
					add("key_frames_decoded", s.keyFramesDecoded);
					add("pli_count", s.pliCount);
					add("nack_count", s.nackCount);
					add("video_packets_lost", s.packetsLost);
				} else {
					add("voice_packets_lost", s.packetsLost);
					add("voice_concealed_ms", (s.concealedSamples - s.silentConcealedSamples) / 48);
				}
			}
		}
		return sum;
	}

	const answer = object => JSON.stringify(object);

	return {
		// enter takes the next step towards the room and reports whether it is shown.
		enter(site) {
			look();
			if (video) return true;
			const step = document.querySelector(`a[href$="/room/${site}"]`); // with one room the console opens it by itself
			if (step && !step.dataset.scansideLab) {
				step.dataset.scansideLab = "pressed";
				step.click();
			}
			return false;
		},
		ready() {
			look();
			if (!video) return answer({ Error: "no picture yet" });
			if (frames < 30) return answer({ Error: `only ${frames} pictures yet` });
			return answer({});
		},
		async mark() {
			before = await statistics();
			result = null;
			longest = 0;
			quiet = null;
			blow = 0;
			struckAt = 0;
			frames = 0;
			return answer({});
		},
		struck() {
			if (!struckAt) {
				quiet = longest;
				struckAt = performance.now();
			}
			return answer({});
		},
		async end() {
			const after = await statistics();
			gap(performance.now() - last, last);
			result = { longest_freeze_ms: longest, frames };
			if (struckAt) Object.assign(result, { freeze_before_ms: quiet, freeze_after_ms: blow });
			for (const name of Object.keys(after)) result[name] = after[name] - (before[name] || 0);
			return answer({});
		},
		watched() {
			return answer(result ? { Watched: result } : { Error: "nothing was measured; mark and end come first" });
		},
	};
})();
