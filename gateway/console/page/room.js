// One open room: the picture with its age, the sound, the links, and Talk.

import { byId, say, show, mark, pressed, seconds, whole } from "./dom.js";
import { drawLinks, drawNumbers, drawPeople } from "./facts.js";
import { Player } from "./player.js";
import { Talker } from "./talker.js";

const fresh = 1000;      // ms: an older picture is not called live
const gone = 10000;      // ms: an older picture is not shown at all
const beatEvery = 2000;  // ms between two words that this window shows the room
const drawEvery = 100;   // ms
const boxAlive = 3000;   // ms: a link that was heard longer ago is not known to take anything to the room
const endedStands = 60000; // ms that the reason for a talk's end stands
const ownTalkGrace = 2500; // ms until the gateway's word on who talks counts for a talk that has just begun

export class Room {
  #feed; #site; #player; #talker; #ask; #desk = newDesk();
  #timers = []; #stop = new AbortController();
  #sound = true; #blocked = false; #peak = 0; #peakAt = 0;
  #silent = false; #verdict = ""; #verdictNext = ""; #verdictSince = 0; #talkSince = 0;

  constructor(feed, site, ask) {
    this.#feed = feed;
    this.#site = site;
    this.#ask = ask;
    const at = `/rooms/${encodeURIComponent(site)}`;
    const own = `desk=${this.#desk}`;
    this.#player = new Player(byId("picture"), `${at}/whep?${own}`, () => this.#flows());
    this.#talker = new Talker(`${at}/whip?${own}`);
    this.#beatURL = `${at}/presence?${own}`;
  }

  #beatURL;

  open() {
    const on = (node, what, f) => node.addEventListener(what, f, { signal: this.#stop.signal });
    show(byId("room"), true);
    on(this.#player, "stream", () => this.#play());
    on(this.#player, "change", () => this.#draw());
    on(this.#talker, "change", () => this.#talkChanged());
    on(this.#feed, "rooms", () => this.#heard());
    on(byId("retry"), "click", () => this.#player.retry());
    on(byId("unblock"), "click", () => this.#setSound(true));
    on(byId("sound"), "click", () => this.#setSound(this.#blocked || !this.#sound));
    on(byId("talk"), "click", () => this.#talk());
    on(byId("talk-mute"), "click", () => this.#talker.mute(!this.#talker.muted));
    on(byId("talk-camera"), "click", () => this.#talker.darken(!this.#talker.dark));
    on(byId("full"), "click", () => fullScreen(byId("scene"), byId("picture")));
    on(document, "visibilitychange", () => this.#beat());
    on(window, "pagehide", () => this.close());
    this.#player.open();
    this.#timers.push(setInterval(() => { this.#talker.listen(); this.#draw(); }, drawEvery), setInterval(() => this.#beat(), beatEvery));
    this.#heard();
    this.#talkChanged();
    this.#beat();
  }

  close() {
    this.#stop.abort();
    this.#timers.forEach(clearInterval);
    this.#talker.stop();
    this.#player.close();
    this.#send({ leaving: true });
    show(byId("room"), false);
    say(byId("verdict"), "");
    byId("preview").srcObject = null;
  }

  get talking() {
    return this.#talker.state !== "off";
  }

  #room() {
    return this.#feed.room(this.#site);
  }

  #flows() {
    const r = this.#room();
    return !this.#feed.silence() && Boolean(r?.video.flowing || r?.voice.flowing);
  }

  // --- sound

  async #play() {
    const video = byId("picture");
    video.muted = !this.#sound;
    try {
      await video.play();
      this.#blocked = false;
    } catch (error) {
      if (error.name !== "NotAllowedError") return; // a newer stream took its place
      this.#blocked = true; // browsers start sound only after a person did something on the page
      video.muted = true;
      video.play().catch(() => {});
    }
    this.#draw();
  }

  #setSound(on) {
    this.#sound = on;
    this.#play();
  }

  #hears() {
    return this.#sound && !this.#blocked && this.#player.sounding() && !this.#hollow("voice");
  }

  #sees() {
    const age = this.#player.age();
    return age !== null && age < fresh && document.visibilityState === "visible" && !this.#hollow("video");
  }

  // hollow says that what arrives is not the room, by the box's own word: a notice, a black picture, a muted microphone.
  #hollow(kind) {
    const stream = this.#room()?.[kind];
    return Boolean(stream?.flowing && !stream.serves);
  }

  // --- presence

  #beat() {
    this.#send({ sees: this.#sees(), hears: this.#hears() });
  }

  async #send(word) {
    try {
      const answer = await fetch(this.#beatURL, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(word), keepalive: true,
      });
      if (answer.status === 401 && !word.leaving) location.assign("/signin");
    } catch { /* the feed says that the gateway is silent */ }
  }

  // --- talk

  async #talk() {
    if (this.#talker.state !== "off") {
      this.#talker.stop();
      return;
    }
    let refused = await this.#talker.start(false);
    if (!refused) return;
    const yes = await this.#ask("Take over?", `${refused.message} If you take over, the room sees and hears you instead.`, "Take over");
    if (!yes || this.#stop.signal.aborted) {
      this.#talker.stop();
      return;
    }
    refused = await this.#talker.start(true);
    if (refused) this.#talker.lost(refused.message);
  }

  #talkChanged() {
    const t = this.#talker;
    if (t.state === "connecting" || t.state === "asking") this.#talkSince = performance.now();
    const preview = byId("preview");
    if (preview.srcObject !== t.stream) preview.srcObject = t.stream;
    if (t.stream) preview.play().catch(() => {});
    this.#draw();
  }

  // heard takes the gateway's newest word: it alone knows who is heard in the room.
  #heard() {
    const talk = this.#room()?.talk;
    if (this.#talker.state === "on" && performance.now() - this.#talkSince > ownTalkGrace && !this.#feed.silence()) {
      if (talk && talk.desk !== this.#desk) this.#talker.overtaken(talk.name);
      else if (!talk) this.#talker.lost("The gateway has ended it.");
    }
    this.#drawFacts();
  }

  // --- drawing: what changes all the time

  #draw() {
    if (this.#stop.signal.aborted) return;
    const silent = this.#feed.silence() > 0;
    if (silent !== this.#silent) {
      this.#silent = silent;
      this.#drawFacts();
    }
    const picture = this.#drawPicture();
    this.#drawSound();
    const air = this.#drawTalk();
    this.#speak(picture, air);
  }

  #drawPicture() {
    const p = this.#player, age = p.age();
    let picture = "none";
    if (age !== null) picture = age < fresh ? "live" : age < gone ? "stale" : "gone";
    if (picture === "live" && this.#hollow("video")) picture = "hollow";
    mark(byId("stage"), "picture", picture);
    say(byId("live-word"), { live: "LIVE", none: "NO PICTURE", hollow: this.#hollowWord() }[picture] ?? "NOT LIVE");
    say(byId("live-age"), age === null ? "" : seconds(age));
    if (picture === "live") return picture;
    if (picture === "hollow") {
      say(byId("veil-words"), this.#room().video.fault_words);
      say(byId("veil-more"), "");
      show(byId("retry"), false);
      return picture;
    }
    const [words, more] = this.#why(age);
    say(byId("veil-words"), words);
    say(byId("veil-more"), more);
    show(byId("retry"), p.state === "waiting");
    return picture;
  }

  #hollowWord() {
    return ["frozen", "absent", "private"].includes(this.#room().video.fault) ? "NOT THE ROOM" : "ROOM NOT VISIBLE";
  }

  #why(age) {
    const p = this.#player, room = this.#room();
    const words = age === null ? "" : `No picture for ${whole(age)}`;
    if (p.state === "connecting") return [words || "Connecting…", age === null ? "" : "Connecting again…"];
    if (p.state === "waiting") {
      const left = Math.max(Math.ceil((p.retryAt - performance.now()) / 1000), 1);
      return [words || "No picture", `${p.reason} Next try in ${left} s.`];
    }
    if (this.#feed.silence()) return [words || "No picture", "No word from the gateway."];
    if (!room) return [words || "No picture", "The gateway no longer knows this room."];
    if (room.video.flowing) return [words || "Waiting for the first picture…", age === null ? "" : "The picture reaches the gateway but not this browser."];
    return [words || "No picture", room.sentence];
  }

  #drawSound() {
    const p = this.#player, now = performance.now();
    const level = this.#blocked ? 0 : onScale(p.level);
    if (level >= this.#peak || now - this.#peakAt > 1200) {
      this.#peak = level;
      this.#peakAt = now;
    }
    byId("level-bar").style.clipPath = `inset(0 ${((1 - level) * 100).toFixed(1)}% 0 0)`;
    byId("level-peak").style.left = `${(this.#peak * 100).toFixed(1)}%`;
    byId("level").setAttribute("aria-valuenow", String(Math.round(level * 10) * 10));
    const off = !this.#sound || this.#blocked;
    pressed(byId("sound"), !off);
    byId("sound").title = off ? "Turn the room's sound on" : "Turn the room's sound off";
    let words = "Room sound";
    if (!p.sounding()) words = "No sound arrives";
    else if (this.#hollow("voice")) words = "The room is not heard";
    else if (this.#blocked) words = "Sound is off: press it on";
    else if (!this.#sound) words = "Sound is off here";
    say(byId("sound-words"), words);
    mark(byId("level"), "state", p.sounding() ? (off ? "off" : "on") : "none");
    show(byId("unblock"), this.#blocked && p.sounding());
  }

  #drawTalk() {
    const t = this.#talker, room = this.#room(), you = this.#feed.you;
    const other = room?.talk && room.talk.desk !== this.#desk ? room.talk.name : "";
    const may = you?.role === "supervisor";
    show(byId("talk"), may);
    mark(byId("talk"), "state", t.state);
    say(byId("talk-words"), { off: other ? "Take over" : "Talk", asking: "Allow…", connecting: "Connecting…", on: "Stop talking" }[t.state]);
    byId("talk").title = t.state === "off" ? "Be seen and heard in the room" : "Nobody in the room sees or hears you after this";
    for (const [id, on, set] of [["talk-mute", t.stream, t.muted], ["talk-camera", t.hasCamera(), t.dark]]) {
      show(byId(id), Boolean(on) && t.state !== "off");
      pressed(byId(id), set);
    }
    show(byId("preview-box"), t.hasCamera());
    mark(byId("preview-box"), "dark", String(t.dark));
    byId("own-level").style.transform = `scaleX(${t.muted ? 0 : onScale(t.level).toFixed(2)})`;
    say(byId("preview-words"), t.dark ? "Your camera is off" : "You");
    const air = this.#onAir(t, room);
    show(byId("on-air"), t.state === "on");
    mark(byId("on-air"), "state", air.ok ? "on" : "off");
    say(byId("on-air-words"), air.words);
    let hint = "";
    const ended = t.ended && performance.now() - t.endedAt < endedStands ? `${t.ended} You are no longer seen or heard in the room.` : "";
    if (ended) hint = ended;
    else if (other) hint = `${other} is talking in this room.`;
    else if (you && !may) hint = "Your account may watch this room, not talk in it.";
    else if (t.state === "asking") hint = "Your browser asks for camera and microphone.";
    say(byId("talk-hint"), hint);
    mark(byId("talk-hint"), "state", ended ? "bad" : "");
    return t.state === "on" ? air.words : ended.replace(/\.$/, "");
  }

  #onAir(t, room) {
    const talk = room?.talk?.desk === this.#desk ? room.talk : null;
    if (this.#feed.silence()) return { ok: false, words: "No word from the gateway: it is not known whether the room sees and hears you" };
    if (!room || room.state === "absent") return { ok: false, words: "The room's box is not connected: nobody there sees or hears you" };
    if (!talk || (!talk.voice && !talk.video)) return { ok: false, words: "Nothing of you arrives yet" };
    const goes = (kind) => talk[kind] && room.uplinks.some((u) => u.connected && u.heard_ms !== null && u.heard_ms < boxAlive && u[kind].returns);
    const voice = goes("voice"), video = goes("video");
    if (!voice && !video) return { ok: false, words: "Nothing of you reaches the room" };
    const seen = video && t.hasCamera() && !t.dark;
    const heard = voice && !t.muted;
    if (seen && heard) return { ok: true, words: "You are seen and heard in the room" };
    if (seen) return { ok: false, words: t.muted ? "You are seen, not heard: your microphone is muted" : "You are seen, not heard" };
    if (heard) return { ok: false, words: t.hasCamera() && t.dark ? "You are heard, not seen: your camera is off" : "You are heard, not seen" };
    return { ok: false, words: "You are neither seen nor heard" };
  }

  // speak tells a screen reader the verdict, once it has stood for a second.
  #speak(picture, air) {
    let words = this.#feed.silence() ? "No word from the gateway." : "";
    if (picture === "hollow") words += ` The room is not seen. ${this.#room().video.fault_words}`;
    else if (picture === "live") words += this.#player.sounding() ? " Live picture and sound." : " Live picture, no sound.";
    else words += this.#player.sounding() ? " No live picture. Sound goes on." : " No live picture, no sound.";
    if (air) words += ` ${air}.`;
    words = words.trim();
    const now = performance.now();
    if (words !== this.#verdictNext) {
      this.#verdictNext = words;
      this.#verdictSince = now;
    }
    if (words !== this.#verdict && now - this.#verdictSince > 1000) {
      this.#verdict = words;
      say(byId("verdict"), words);
    }
  }

  // --- drawing: what the gateway says, once a second

  #drawFacts() {
    const room = this.#room();
    if (!room) {
      say(byId("room-name"), this.#site);
      say(byId("room-words"), this.#feed.rooms.length ? "The gateway does not know this room." : "");
      return;
    }
    const silent = this.#silent;
    document.title = `${room.name} · scanside`;
    say(byId("room-name"), room.name);
    mark(byId("room-mark"), "state", silent ? "unknown" : room.state);
    say(byId("room-words"), silent ? "No word from the gateway." : room.sentence);
    drawPeople(silent ? null : room, this.#feed.you?.name);
    drawLinks(room, silent);
    drawNumbers(room, this.#player, this.#feed.fingerprint);
  }
}

// onScale puts a linear level on a scale of 60 dB.
function onScale(level) {
  if (level <= 0) return 0;
  return Math.min(Math.max(1 + (20 * Math.log10(level)) / 60, 0), 1);
}

function newDesk() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}

function fullScreen(scene, video) {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (scene.requestFullscreen) scene.requestFullscreen().catch(() => {});
  else video.webkitEnterFullscreen?.(); // phones that know only this
}
