// What the gateway says of a room once a second: who is there, what each link does, the numbers.

import { byId, say, mark, make, keep, whole, percent } from "./dom.js";

// drawPeople lists who has the room open; room null: not known.
export function drawPeople(room, you) {
  const people = (room?.supervisors ?? []).map((s) => ({ name: s.name, talks: s.talking, role: s.role }));
  for (const w of room?.watchers ?? []) {
    if (!people.some((p) => p.name === w.name)) people.push({ name: w.name, talks: false, role: w.role });
  }
  keep(byId("people"), people, (p) => `person-${p.name}`, () => make("span", "person"), (node, p) => {
    mark(node, "talks", String(p.talks));
    say(node, `${p.name}${p.name === you ? " (you)" : ""}${p.talks ? " · talking" : p.role === "supervisor" ? "" : ` · ${p.role}`}`);
  });
}

// drawNumbers fills the table, while it is unfolded. player is this browser's.
export function drawNumbers(room, player, fingerprint) {
  if (!byId("numbers").open) return;
  const rows = [["Voice from the room", room.voice], ["Picture from the room", room.video]];
  if (room.talk) rows.push([`Voice of ${room.talk.name}`, room.talk.voice_stream], [`Picture of ${room.talk.name}`, room.talk.video_stream]);
  keep(byId("streams"), rows, ([name]) => `row-${name}`, ([name]) => {
    const row = make("tr", "", make("th", "", name));
    row.firstChild.scope = "row";
    for (let i = 0; i < 5; i++) row.append(make("td"));
    return row;
  }, (row, [, s]) => {
    const cells = [s.received, s.lost, s.repaired, s.duplicate, `${s.longest_gap_ms} ms`];
    cells.forEach((c, i) => say(row.children[i + 1], String(c)));
  });
  const since = room.since ? ` since ${new Date(room.since).toLocaleString()}` : "";
  say(byId("browser-numbers"), `This browser: ${player.size || "no picture"}${player.lost === null ? "" : `, ${percent(player.lost)} lost on the way from the gateway`}. ` +
    `Key frames asked of the box: ${room.video.key_frame_requests}. Box ${room.box || "(none)"}, run ${room.run || "(none)"}${since}.`);
  say(byId("gateway-numbers"), fingerprint ? `The gateway's certificate, SHA-256: ${fingerprint}` : "");
}

// drawLinks makes a chip of each of the box's uplinks, and one of what they bring together. unknown: the words are old.
export function drawLinks(room, unknown) {
  keep(byId("links"), [...room.uplinks, { name: "", merged: room }], (u) => `link-${u.name}`,
    () => make("li", "link"), (node, u) => (u.merged ? drawMerged(node, u.merged, unknown) : drawLink(node, u, unknown)));
}

function drawLink(node, u, unknown) {
  const brings = names(u, "carries"), takes = names(u, "returns");
  const silent = u.heard_ms === null || u.heard_ms > 3000;
  const state = !u.connected ? "absent" : silent ? "silent" : brings.length ? "live" : "standby";
  const worst = Math.max(u.voice.loss ?? 0, u.video.loss ?? 0);
  mark(node, "state", unknown ? "unknown" : state === "live" && worst > 0.02 ? "partial" : state);
  part(node, "i", "mark").ariaHidden = "true";
  say(part(node, "b", "link-name"), u.name);
  say(part(node, "span", "link-words"), unknown ? "not known" : linkWords(u, state, brings, takes));
  say(part(node, "span", "link-loss"), !unknown && brings.length ? lossWords(u) : "");
}

function linkWords(u, state, brings, takes) {
  if (state === "absent") return u.heard_ms === null ? "not connected" : `gone for ${whole(u.heard_ms)}`;
  if (state === "silent") return u.heard_ms === null ? "connecting" : `silent for ${whole(u.heard_ms)}`;
  if (!brings.length) return "stands by";
  if (brings.join() === takes.join()) return `${brings.join(" and ")}, both ways`;
  return `brings ${brings.join(" and ")}${takes.length ? `, takes ${takes.join(" and ")} back` : ""}`;
}

function lossWords(u) {
  const all = [["voice", u.voice.loss], ["picture", u.video.loss]].filter(([, l]) => l !== null);
  if (!all.length) return "";
  return all.every(([, l]) => l === 0) ? "loses nothing" : `loses ${all.map(([n, l]) => `${percent(l)} of ${n}`).join(", ")}`;
}

function drawMerged(node, room, unknown) {
  const lost = room.voice.lost + room.video.lost, any = room.voice.received + room.video.received > 0;
  node.classList.add("merged");
  mark(node, "state", unknown ? "unknown" : room.state);
  part(node, "i", "mark").ariaHidden = "true";
  say(part(node, "b", "link-name"), "Together");
  const words = !any ? "nothing yet" : lost === 0 ? "nothing lost" : `${lost} ${lost === 1 ? "packet" : "packets"} lost`;
  say(part(node, "span", "link-words"), unknown ? "not known" : words);
  say(part(node, "span", "link-loss"), room.voice.flowing && !unknown ? `voice gap at most ${room.voice.minute_gap_ms} ms (1 min)` : "");
}

const names = (u, what) => [u.voice[what] ? "voice" : "", u.video[what] ? "picture" : ""].filter(Boolean);

// part finds or makes the one child of a class.
function part(node, tag, className) {
  let child = node.querySelector(`.${className}`);
  if (!child) {
    child = make(tag, className);
    node.append(child);
  }
  return child;
}
