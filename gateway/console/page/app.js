// The console: a list of rooms, one of them open.

import { byId, say, show, mark, make, keep, whole } from "./dom.js";
import { Feed } from "./feed.js";
import { Room } from "./room.js";

const feed = new Feed();
let room = null, site = "";

function wanted() {
  const m = location.hash.match(/^#\/room\/(.+)$/);
  try {
    return m ? decodeURIComponent(m[1]) : "";
  } catch {
    return ""; // a mistyped address
  }
}

function ask(title, words, yes) {
  const dialog = byId("ask");
  say(byId("ask-title"), title);
  say(byId("ask-words"), words);
  say(byId("ask-yes"), yes);
  dialog.returnValue = "no";
  dialog.showModal();
  byId("ask-no").focus();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true }));
}

function route() {
  const next = wanted();
  if (next === site) return;
  room?.close();
  room = null;
  site = next;
  document.body.dataset.view = site ? "room" : "rooms";
  show(byId("empty"), !site);
  if (site) {
    room = new Room(feed, site, ask);
    room.open();
    byId("room-name").focus({ preventScroll: true });
    scrollTo(0, 0);
  } else {
    document.title = "Rooms · scanside";
  }
  draw();
}

function draw() {
  const silence = feed.silence();
  show(byId("trouble"), silence > 0);
  if (silence) say(byId("trouble"), `No word from the gateway for ${whole(silence)}. What stands below may be old. Trying again…`);
  if (feed.you) {
    say(byId("you-name"), feed.you.name);
    say(byId("you-role"), feed.you.role);
    show(byId("rooms-none"), feed.rooms.length === 0);
  }
  keep(byId("rooms"), feed.rooms, (r) => r.site, build, (node, r) => {
    const link = node.firstChild;
    mark(link, "state", silence ? "unknown" : r.state);
    if (r.site === site) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    const [, name, words, more] = link.children;
    say(name, r.name);
    say(words, silence ? "Not known: no word from the gateway." : r.sentence);
    say(more, silence ? "" : people(r));
  });
}

function build(r) {
  const link = make("a", "", make("i", "mark"), make("b", "room-title"), make("span", "room-line"), make("span", "room-people"));
  link.firstChild.ariaHidden = "true";
  link.href = `#/room/${encodeURIComponent(r.site)}`;
  return make("li", "", link);
}

function people(r) {
  if (r.talk) return `${r.talk.name} is talking there.`;
  if (r.supervisors.length) return `${r.supervisors.map((s) => s.name).join(", ")} ${r.supervisors.length > 1 ? "have" : "has"} it open.`;
  return "";
}

feed.addEventListener("rooms", () => {
  if (!location.hash && feed.rooms.length === 1) location.replace(`#/room/${encodeURIComponent(feed.rooms[0].site)}`);
  draw();
});
window.addEventListener("hashchange", route);
window.addEventListener("pageshow", (e) => { if (e.persisted) location.reload(); }); // a page from the browser's memory holds dead connections
setInterval(draw, 500);
feed.open();
route();
