import { follow } from "/assets/live.js";
import { play } from "/assets/whep.js";
import { pressable } from "/assets/press.js";
import { chime } from "/assets/chime.js";

const picture = document.getElementById("picture");
const veil = document.getElementById("veil"), veilWords = document.getElementById("veil-words");
const voiceWords = document.getElementById("voice-words"), level = document.getElementById("level").getContext("2d");
const sound = document.getElementById("sound"), nodata = document.getElementById("nodata");

const slow = 1000; // ms without a new picture after which the last one must not pass for a living one

let shown = 0;          // when the last new picture was presented
let loud = -100;        // dB, of the voice now
let meter = null;       // measures the voice
let packets = 0, packetsAt = 0;

const newFor = 8000;   // ms that the ribbon stands out after somebody was announced
let sounds = null;      // announcements that were there already: in which run, how many, and how many of these to be made here
let announced = -newFor; // when the last one came

follow({
  url: "/events/room",
  drawn() {
    const { run, sounds: count, own } = document.getElementById("ribbon").dataset;
    if (sounds?.run === run && Number(count) > sounds.count) announced = performance.now();
    if (sounds?.run === run && Number(own) > sounds.own) announce();
    sounds = { run, count: Number(count), own: Number(own) };
    standOut();
  },
  age(silent, stale) {
    standOut();
    if (stale === !nodata.hidden) return;
    nodata.hidden = !stale;
    document.getElementById("nodata-since").textContent = new Date(Date.now() - silent).toLocaleTimeString("en-GB");
    for (const other of document.body.children) if (other !== nodata) other.inert = stale; // nothing below can be pressed or read out
  },
});

pressable(document.getElementById("said"));

async function announce() {
  if (!await chime()) sound.textContent = "Turn sound on: this screen may not announce who looks in";
}

function standOut() {
  document.getElementById("ribbon").classList.toggle("new", performance.now() - announced < newFor);
}

const session = play("/room/whep", {
  stream(stream) {
    // The element keeps its muted state: a reconnect never turns sound on.
    picture.srcObject = stream;
    picture.play().catch(() => {});
    measure(stream);
  },
});

function frame() {
  shown = performance.now();
  picture.requestVideoFrameCallback(frame);
}
picture.requestVideoFrameCallback(frame);

function measure(stream) {
  const track = stream.getAudioTracks()[0];
  if (!track) return;
  meter?.context.close();
  const context = new AudioContext(), analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  meter = { context, analyser, samples: new Float32Array(analyser.fftSize) };
}

sound.addEventListener("click", () => {
  picture.muted = !picture.muted;
  meter?.context.resume();
  picture.play().catch(() => {});
  sound.setAttribute("aria-pressed", String(!picture.muted));
  sound.textContent = picture.muted ? "Turn sound on" : "Sound is on";
});

setInterval(async () => {
  const now = performance.now(), silent = now - shown;
  const { talker, watching } = document.getElementById("ribbon").dataset;
  const never = shown === 0;
  veil.hidden = !never && silent < slow;
  veil.classList.toggle("over", !never && silent < 60000 && !!talker);
  if (!veil.hidden) {
    if (!talker) veilWords.textContent = watching;
    else if (never) veilWords.textContent = `Waiting for ${talker}’s picture`;
    else veilWords.textContent = `NO PICTURE for ${Math.floor(silent / 1000)} s`;
  }
  const voice = await session.voice();
  if (voice.packets !== packets) {
    packets = voice.packets;
    packetsAt = now;
  }
  if (packetsAt && now - packetsAt < 1000) voiceWords.textContent = voice.lost ? `Voice arrives, ${voice.lost} lost` : "Voice arrives, nothing lost";
  else if (talker && packetsAt) voiceWords.textContent = `NO VOICE for ${Math.floor((now - packetsAt) / 1000)} s`;
  else voiceWords.textContent = talker ? "Voice: waiting" : "Nobody speaks";
  loud = voice.level > 0 ? 20 * Math.log10(voice.level) : -100;
}, 250);

function draw() {
  if (meter?.context.state === "running") {
    meter.analyser.getFloatTimeDomainData(meter.samples);
    let power = 0;
    for (const s of meter.samples) power += s * s;
    loud = 10 * Math.log10(power / meter.samples.length + 1e-10);
  }
  const { width, height } = level.canvas, full = Math.max(0, Math.min(1, (loud + 60) / 54));
  level.clearRect(0, 0, width, height);
  for (let i = 0; i < 30; i++) {
    level.fillStyle = i / 30 >= full ? "#1d2933" : i > 26 ? "#ffcb70" : "#74e0a4";
    level.fillRect(i * (width / 30) + 1, 3, width / 30 - 2, height - 6);
  }
  setTimeout(() => requestAnimationFrame(draw), matchMedia("(prefers-reduced-motion: reduce)").matches ? 500 : 50);
}
draw();
