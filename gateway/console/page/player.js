// The room's picture and sound. Player keeps a WHEP session alive, and knows at every moment how old the picture on the
// screen is: a frame that stands still is never taken for a live one.

import { negotiate, forget, Refused } from "./wire.js";

const firstWait = 500;    // ms before the first new try; doubles
const longestWait = 10000;
const connectPatience = 10000; // ms until a connection that does not come is given up
const deafAfter = 4000;   // ms without any packet, while the gateway has some, until the connection is made anew

export class Player extends EventTarget {
  #video; #url; #flows;
  #pc = null; #session = null; #abort = null;
  #timer = 0; #wait = firstWait; #open = false;
  #frame = null;          // when the frame on the screen arrived at this browser
  #packets = 0; #packetsAt = 0; #voice = 0; #voiceAt = 0;
  #connectedAt = 0;
  state = "closed";       // closed, connecting, connected, waiting
  reason = "";
  retryAt = 0;
  level = 0;              // of the sound, 0…1, linear
  lost = null;            // share of packets lost between gateway and here, last second
  size = "";

  // flows says whether the gateway has media for us now.
  constructor(video, url, flows) {
    super();
    this.#video = video;
    this.#url = url;
    this.#flows = flows;
  }

  open() {
    this.#open = true;
    this.#watchFrames();
    this.#poll = setInterval(() => this.#measure(), 100);
    this.#connect();
  }

  #poll = 0;

  close() {
    this.#open = false;
    clearInterval(this.#poll);
    clearTimeout(this.#timer);
    this.#drop();
    this.#video.srcObject = null;
    this.#set("closed", "");
  }

  // retry makes a new connection now.
  retry() {
    clearTimeout(this.#timer);
    this.#wait = firstWait;
    this.#drop();
    this.#connect();
  }

  // age is how old the picture on the screen is in ms, since it arrived at this browser; null: there is none.
  age() {
    return this.#frame === null ? null : Math.max(performance.now() - this.#frame, 0);
  }

  // sounding says whether packets of sound came within the last second.
  sounding() {
    return this.#voiceAt > 0 && performance.now() - this.#voiceAt < 1000;
  }

  #set(state, reason) {
    this.state = state;
    this.reason = reason;
    this.dispatchEvent(new Event("change"));
  }

  #drop() {
    this.#abort?.abort();
    this.#pc?.close();
    forget(this.#session);
    this.#pc = this.#session = this.#abort = null;
    this.#voiceAt = 0;
    this.level = 0;
    this.lost = null;
  }

  async #connect() {
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const abort = new AbortController();
    this.#pc = pc;
    this.#abort = abort;
    this.#set("connecting", "");
    const stream = new MediaStream();
    pc.addEventListener("track", (e) => {
      stream.addTrack(e.track);
      if (this.#pc === pc && this.#video.srcObject !== stream) {
        this.#video.srcObject = stream;
        this.dispatchEvent(new Event("stream"));
      }
    });
    pc.addEventListener("connectionstatechange", () => {
      if (this.#pc !== pc) return;
      if (pc.connectionState === "connected") {
        this.#wait = firstWait;
        this.#connectedAt = this.#packetsAt = performance.now();
        this.#set("connected", "");
      }
      if (pc.connectionState === "failed" || pc.connectionState === "closed") this.#again("The connection to the gateway broke.");
    });
    pc.addTransceiver("audio", { direction: "recvonly" });
    pc.addTransceiver("video", { direction: "recvonly" });
    const timer = setTimeout(() => {
      if (this.#pc === pc && pc.connectionState !== "connected") this.#again("The connection to the gateway does not come about.");
    }, connectPatience);
    try {
      const session = await negotiate(pc, this.#url, abort.signal);
      if (this.#pc === pc) this.#session = session;
      else forget(session);
    } catch (error) {
      clearTimeout(timer);
      if (this.#pc !== pc) return;
      this.#again(error instanceof Refused ? `${error.message} ${error.detail}`.trim() : "The gateway does not answer.");
    }
  }

  #again(reason) {
    this.#drop();
    if (!this.#open) return;
    const wait = this.#wait * (0.75 + Math.random() / 2);
    this.#wait = Math.min(this.#wait * 2, longestWait);
    this.retryAt = performance.now() + wait;
    this.#set("waiting", reason);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), wait);
  }

  // Every frame that is shown says when its last packet arrived; where a browser cannot say, when it was shown.
  #watchFrames() {
    const video = this.#video;
    if (video.requestVideoFrameCallback) {
      const seen = (now, data) => {
        if (!this.#open) return;
        this.#frame = Math.min(data.receiveTime ?? now, now);
        this.size = `${data.width}×${data.height}`;
        video.requestVideoFrameCallback(seen);
      };
      video.requestVideoFrameCallback(seen);
      return;
    }
    let frames = 0;
    const look = () => {
      if (!this.#open) return;
      const total = video.getVideoPlaybackQuality().totalVideoFrames;
      if (total > frames) this.#frame = performance.now();
      frames = total;
      setTimeout(look, 50);
    };
    look();
  }

  #lossAt = 0; #lossFrom = null;

  async #measure() {
    const pc = this.#pc;
    if (!pc || this.state !== "connected") return;
    const stats = await pc.getStats();
    if (this.#pc !== pc) return;
    const now = performance.now();
    let packets = 0, lost = 0;
    for (const s of stats.values()) {
      if (s.type !== "inbound-rtp") continue;
      packets += s.packetsReceived;
      lost += s.packetsLost;
      if (s.kind === "audio") {
        this.level = s.audioLevel ?? 0;
        if (s.packetsReceived !== this.#voice) this.#voiceAt = now;
        this.#voice = s.packetsReceived;
      }
    }
    if (packets !== this.#packets) this.#packetsAt = now;
    this.#packets = packets;
    if (now - this.#lossAt >= 1000) {
      const from = this.#lossFrom;
      const sent = from ? packets + lost - from.packets - from.lost : 0;
      this.lost = sent > 0 ? Math.max(lost - from.lost, 0) / sent : null;
      this.#lossFrom = { packets, lost };
      this.#lossAt = now;
    }
    if (now - this.#packetsAt > deafAfter && this.#flows()) this.#again("Nothing arrives from the gateway.");
  }
}
