// Notes when the middle of the picture begins to be white, by the time the browser shows the frame, and when the sound begins to
// beep, by the place of the first loud sample in what was played last. lipsyncPairs() is what lies between the two, and how late each was, in ms.
(() => {
  const video = document.getElementById("picture");
  const canvas = new OffscreenCanvas(8, 8);
  const paint = canvas.getContext("2d", { willReadFrequently: true });
  const flashes = [], beeps = [];
  let white = true;
  const frame = (now, meta) => {
    const w = video.videoWidth, h = video.videoHeight;
    paint.drawImage(video, w * 0.4, h * 0.4, w * 0.2, h * 0.2, 0, 0, 8, 8);
    const p = paint.getImageData(0, 0, 8, 8).data;
    let sum = 0;
    for (let i = 0; i < p.length; i += 4) sum += p[i + 1];
    const is = sum / 64 > 128;
    if (is && !white) flashes.push(meta.expectedDisplayTime);
    white = is;
    video.requestVideoFrameCallback(frame);
  };
  video.requestVideoFrameCallback(frame);

  const audio = new AudioContext({ latencyHint: "interactive" });
  const listen = audio.createAnalyser();
  listen.fftSize = 4096;
  audio.createMediaStreamSource(video.srcObject).connect(listen);
  const heard = new Float32Array(listen.fftSize);
  let quietUntil = performance.now() + 500;
  setInterval(() => {
    const now = performance.now();
    if (now < quietUntil) return;
    listen.getFloatTimeDomainData(heard);
    const first = heard.findIndex((v) => Math.abs(v) > 0.08);
    if (first < 0) return;
    const at = now - ((heard.length - first) / audio.sampleRate) * 1000;
    if (first > 0) beeps.push(at); // else it began before what is kept
    quietUntil = now + 500;
  }, 10);

  // Flash and beep begin at moments of the wall clock (media.BeatEvery), which is this machine's too.
  const every = 1100;
  const late = (at) => (performance.timeOrigin + at) % every;
  window.lipsyncPairs = () => flashes.flatMap((f) => {
    const near = beeps.filter((b) => Math.abs(b - f) < 500).sort((a, b) => Math.abs(a - f) - Math.abs(b - f));
    return near.length ? [{ skew: near[0] - f, picture: late(f), sound: late(near[0]) }] : [];
  });
  return true;
})()
