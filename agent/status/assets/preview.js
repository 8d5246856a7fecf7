// The room's own picture on the status page: only when somebody asks for it, for a few minutes, with the box's clock and the
// picture's age over it. An old picture is never shown as if it were living: it turns grey and says how old it is.
import { play } from "/assets/whep.js";

const slow = 2000;           // ms without a new picture after which the last one is old
const gone = 60000;          // and after which it is not shown at all
const limit = 5 * 60 * 1000; // ms that one look lasts; the box ends it then in any case

export function preview(silent) {
  const frame = document.getElementById("preview"), video = document.getElementById("preview-video");
  const stamp = document.getElementById("preview-stamp"), veil = document.getElementById("preview-veil");
  const go = document.getElementById("preview-go");
  let session = null, began = 0, shown = 0, refused = "";

  document.getElementById("preview-buttons").hidden = false;
  go.addEventListener("click", () => (session ? stop("") : start()));

  function start() {
    began = performance.now();
    shown = 0;
    refused = "";
    frame.hidden = false;
    session = play("/api/v1/preview/whep", {
      kinds: ["video"],
      stream(stream) {
        video.srcObject = stream;
        video.play().catch(() => {});
      },
      refused(text, final) {
        if (final) stop(text);
        else refused = text;
      },
    });
    look();
  }

  function stop(why) {
    session?.stop();
    session = null;
    video.srcObject = null;
    frame.hidden = why === "";
    shown = 0;
    refused = why;
    look();
  }

  video.requestVideoFrameCallback(function next() {
    shown = performance.now();
    video.requestVideoFrameCallback(next);
  });

  // look says what is true now, four times a second.
  function look() {
    go.setAttribute("aria-pressed", String(session !== null));
    go.textContent = session ? "Stop looking" : "Show the picture";
    if (frame.hidden) return;
    if (session && performance.now() - began > limit) return stop("The look has ended after five minutes. Show the picture again if you need it.");
    const facts = document.getElementById("picture-facts"), quiet = silent();
    const here = shown ? performance.now() - shown : Infinity; // since a new picture came to this page
    const there = facts.dataset.age === undefined ? Infinity : Number(facts.dataset.age) + quiet; // since the camera gave one
    const age = Math.max(here, there), muted = facts.dataset.muted === "true";
    frame.classList.toggle("old", session !== null && age >= slow);
    frame.classList.toggle("gone", session === null || age >= gone || muted);
    let words = "";
    if (!session) words = refused;
    else if (muted) words = "Camera muted in the room";
    else if (refused && here === Infinity) words = refused;
    else if (here === Infinity) words = "Waiting for the picture";
    else if (age >= slow) words = age === Infinity ? "No picture" : `No picture for ${lasted(age)}`;
    veil.hidden = words === "";
    if (veil.textContent !== words) veil.textContent = words;
    stamp.hidden = !session || muted || age >= gone;
    if (!stamp.hidden) stamp.textContent = `${document.querySelector(".who strong").textContent} · ${clock(facts, quiet, age)} · ${(age / 1000).toFixed(1)} s old`;
  }
  setInterval(look, 250);
}

// clock is the box's own time of day when the picture that is shown was taken, whatever time zone this page is in.
function clock({ dataset: { now, zone } }, quiet, age) {
  return new Date(Number(now) + quiet - age + 1000 * Number(zone)).toISOString().slice(11, 19);
}

function lasted(ms) {
  const s = Math.floor(ms / 1000);
  return s < 120 ? `${s} s` : `${Math.floor(s / 60)} min`;
}
