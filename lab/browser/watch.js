// Runs in every page before its own scripts. Everything it knows is in window.scansideLab.
(() => {
  const lab = { peers: [], frames: 0, last: 0, presented: 0, freeze: 0, struckAt: 0, quiet: 0, blow: 0, since: performance.now() };
  Object.defineProperty(window, "scansideLab", { value: lab });

  const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = class RTCPeerConnection extends Real {
    constructor(...args) {
      super(...args);
      lab.peers.push(this);
    }
  };

  const wake = 5000; // ms after a blow in which a freeze is put down to it

  // A freeze is the time between two frames on the screen. On a busy machine the page is not told of every frame that was
  // shown; presentedFrames counts them all, and the time is spread evenly over those that it was not told of.
  const pause = (from, to, frames) => {
    const ms = (to - from) / Math.max(1, frames);
    lab.freeze = Math.max(lab.freeze, ms);
    if (lab.struckAt && to > lab.struckAt && from < lab.struckAt + wake) lab.blow = Math.max(lab.blow, ms);
  };
  const seen = (frame) => {
    const frames = lab.presented > 0 ? Math.max(1, frame.presentedFrames - lab.presented) : 1;
    if (lab.last > 0) pause(lab.last, frame.presentationTime, frames);
    lab.last = frame.presentationTime;
    lab.presented = frame.presentedFrames;
    lab.frames += frames;
  };
  const followed = new WeakSet();
  const follow = (video) => {
    if (followed.has(video)) return;
    followed.add(video);
    const next = (_, frame) => {
      if (video === lab.video()) seen(frame);
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  };
  setInterval(() => document.querySelectorAll("video").forEach(follow), 50);

  // The picture that the page is about: of those that play, the one that takes most of the screen. A page may also show the
  // person's own camera, small.
  lab.video = () => {
    let best = null, most = 0;
    for (const v of document.querySelectorAll("video")) {
      const box = v.getBoundingClientRect();
      const area = v.videoWidth > 0 ? box.width * box.height : 0;
      if (area > most) [best, most] = [v, area];
    }
    return best;
  };

  lab.mark = () => {
    lab.frames = 0;
    lab.freeze = lab.blow = lab.quiet = lab.struckAt = 0;
    lab.last = performance.now();
    lab.since = lab.last;
  };

  lab.struck = () => {
    if (lab.struckAt) return;
    lab.quiet = lab.freeze;
    lab.struckAt = performance.now();
  };

  lab.watch = async () => {
    const now = performance.now();
    if (lab.last > 0) pause(lab.last, now, 1); // one that is running now
    const out = {
      seconds: (now - lab.since) / 1000, shown: lab.frames, freeze_ms: lab.freeze,
      freeze_before_ms: lab.quiet, freeze_after_ms: lab.blow,
      decoded: 0, key_frames: 0, dropped: 0, freezes: 0, freezes_ms: 0, pli: 0, nack: 0, codec: "", width: 0, height: 0,
      video_packets: 0, video_lost: 0, voice_packets: 0, voice_lost: 0, concealed_ms: 0, energy: 0, voice_seconds: 0, level: 0,
    };
    for (const peer of lab.peers) {
      if (peer.connectionState === "closed") continue;
      const stats = await peer.getStats();
      stats.forEach((s) => {
        if (s.type !== "inbound-rtp") return;
        if (s.kind === "video") {
          out.decoded += s.framesDecoded ?? 0;
          out.key_frames += s.keyFramesDecoded ?? 0;
          out.dropped += s.framesDropped ?? 0;
          out.freezes += s.freezeCount ?? 0;
          out.freezes_ms += 1000 * (s.totalFreezesDuration ?? 0);
          out.pli += s.pliCount ?? 0;
          out.nack += s.nackCount ?? 0;
          out.video_packets += s.packetsReceived ?? 0;
          out.video_lost += s.packetsLost ?? 0;
          out.codec = stats.get(s.codecId)?.mimeType ?? out.codec;
          out.width = s.frameWidth ?? out.width;
          out.height = s.frameHeight ?? out.height;
        } else {
          out.voice_packets += s.packetsReceived ?? 0;
          out.voice_lost += s.packetsLost ?? 0;
          out.concealed_ms += ((s.concealedSamples ?? 0) - (s.silentConcealedSamples ?? 0)) / 48;
          out.energy += s.totalAudioEnergy ?? 0;
          out.voice_seconds += s.totalSamplesDuration ?? 0;
          out.level = Math.max(out.level, s.audioLevel ?? 0);
        }
      });
    }
    return out;
  };

  // The picture's brightness, 0 to 255: its mean, and how far it spreads. A black or an even picture spreads by nothing.
  lab.picture = () => {
    const video = lab.video();
    if (!video) return { mean: 0, spread: 0 };
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [160, 90];
    const draw = canvas.getContext("2d");
    draw.drawImage(video, 0, 0, canvas.width, canvas.height);
    const { data } = draw.getImageData(0, 0, canvas.width, canvas.height);
    let sum = 0, squares = 0;
    for (let i = 0; i < data.length; i += 4) {
      const luma = 0.2126 * data[i] + 0.7152 * data[i + 1] + 0.0722 * data[i + 2];
      sum += luma;
      squares += luma * luma;
    }
    const n = data.length / 4, mean = sum / n;
    return { mean, spread: Math.sqrt(Math.max(0, squares / n - mean * mean)) };
  };
})();
