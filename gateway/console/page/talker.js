// The supervisor's own voice and picture. It begins when a person presses Talk and at no other time. Whatever goes wrong
// ends it: camera and microphone are let go, and only a person can begin again.

import { negotiate, forget, Refused } from "./wire.js";

const connectPatience = 8000; // ms
const maxBitrate = {          // bit/s
  audio: 30000,               // the full band of speech; it goes into the room over each uplink, some of which cost money
  video: 1500000,             // 720p of a face, on an office's line
};

export class Talker extends EventTarget {
  #url; #pc = null; #session = null; #turn = 0;
  state = "off"; // off, asking (for camera and microphone), connecting, on
  stream = null;
  ended = "";    // why it ended, if not by the person's own hand
  endedAt = 0;
  muted = false;
  dark = false;  // camera switched off
  level = 0;     // of the own microphone, 0…1, linear

  constructor(url) {
    super();
    this.#url = url;
  }

  #set(state) {
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }

  // start asks for camera and microphone and takes the floor. It returns the Refused of the gateway, if somebody else talks,
  // and keeps camera and microphone for the answer to the question that follows.
  async start(takeover) {
    const turn = ++this.#turn;
    this.ended = "";
    this.muted = this.dark = false;
    try {
      if (!this.stream) {
        this.#set("asking");
        const stream = await capture();
        if (turn !== this.#turn) return stopAll(stream);
        this.stream = stream;
        for (const track of stream.getTracks()) {
          track.addEventListener("ended", () => { // Take over is another turn with the same stream
            if (this.stream === stream) this.#end(this.#turn, `Your ${track.kind === "audio" ? "microphone" : "camera"} was unplugged or taken away.`);
          });
        }
      }
      this.#set("connecting");
      await this.#connect(turn, takeover);
    } catch (error) {
      if (turn !== this.#turn) return null;
      if (error instanceof Refused && error.kind === "talking") {
        this.#pc?.close();
        this.#pc = null;
        return error;
      }
      this.#end(turn, words(error));
    }
    return null;
  }

  async #connect(turn, takeover) {
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.#pc = pc;
    for (const track of this.stream.getTracks()) {
      const sender = pc.addTransceiver(track, { direction: "sendonly", streams: [this.stream], sendEncodings: [{ maxBitrate: maxBitrate[track.kind] }] });
      if (track.kind === "video") preferH264(sender);
    }
    const patience = setTimeout(() => this.#end(turn, "The connection for talking does not come about."), connectPatience);
    pc.addEventListener("connectionstatechange", () => {
      if (turn !== this.#turn) return;
      if (pc.connectionState === "connected") {
        clearTimeout(patience);
        this.#set("on");
      }
      if (pc.connectionState === "failed" || pc.connectionState === "closed") this.#end(turn, "The connection was lost.");
    });
    try {
      const session = await negotiate(pc, this.#url + (takeover ? "&takeover=1" : ""));
      if (turn === this.#turn) this.#session = session;
      else forget(session);
    } catch (error) {
      clearTimeout(patience);
      throw error;
    }
  }

  #end(turn, why) {
    if (turn !== this.#turn) return;
    this.stop();
    this.ended = why;
    this.endedAt = performance.now();
    this.dispatchEvent(new Event("change"));
  }

  // overtaken ends it because somebody else took the floor.
  overtaken(name) {
    this.#end(this.#turn, `${name} has taken over.`);
  }

  lost(why) {
    this.#end(this.#turn, why);
  }

  // stop ends it and lets go of camera and microphone.
  stop() {
    this.#turn++;
    if (this.stream) stopAll(this.stream);
    this.#pc?.close();
    forget(this.#session);
    this.stream = this.#pc = this.#session = null;
    this.ended = "";
    this.#set("off");
  }

  mute(on) {
    this.muted = on;
    for (const t of this.stream?.getAudioTracks() ?? []) t.enabled = !on;
    this.dispatchEvent(new Event("change"));
  }

  darken(on) {
    this.dark = on;
    for (const t of this.stream?.getVideoTracks() ?? []) t.enabled = !on;
    this.dispatchEvent(new Event("change"));
  }

  // listen brings level up to date.
  async listen() {
    const stats = await this.#pc?.getStats();
    this.level = 0;
    for (const s of stats?.values() ?? []) if (s.type === "media-source" && s.kind === "audio") this.level = s.audioLevel ?? 0;
  }

  hasCamera() {
    return (this.stream?.getVideoTracks().length ?? 0) > 0;
  }
}

async function capture() {
  if (!navigator.mediaDevices) throw new DOMException("", "SecurityError");
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  const video = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio, video });
  } catch (error) {
    if (error.name !== "NotFoundError") throw error;
    return navigator.mediaDevices.getUserMedia({ audio }); // no camera: the room hears you, and the page says that it does not see you
  }
}

function stopAll(stream) {
  for (const track of stream.getTracks()) track.stop();
  return null;
}

// Every browser and the room's box play constrained baseline.
function preferH264(transceiver) {
  const all = RTCRtpSender.getCapabilities("video")?.codecs ?? [];
  const first = all.filter((c) => c.mimeType === "video/H264" && /packetization-mode=1/.test(c.sdpFmtpLine ?? ""));
  if (first.length) transceiver.setCodecPreferences([...first, ...all.filter((c) => !first.includes(c))]);
}

function words(error) {
  if (error instanceof Refused) return `${error.message} ${error.detail}`.trim();
  switch (error.name) {
    case "NotAllowedError": return "The browser was not allowed to use camera and microphone. Allow both for this page, then press Talk again.";
    case "NotFoundError": return "No microphone was found. Plug one in, then press Talk again.";
    case "NotReadableError": return "Camera or microphone is in use by another program. Close it there, then press Talk again.";
    case "SecurityError": return "The browser gives camera and microphone to secure pages only. Open this page by https.";
    default: return "The gateway does not answer.";
  }
}
