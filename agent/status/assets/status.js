import { follow } from "/assets/live.js";
import { pressable } from "/assets/press.js";
import { graph } from "/assets/history.js";
import { logFilter } from "/assets/log.js";
import { meters } from "/assets/levels.js";
import { preview } from "/assets/preview.js";

const fresh = document.getElementById("fresh");
const nodata = document.getElementById("nodata");
const history = graph(), filter = logFilter();
let silence = 0; // ms since the box last spoke

follow({
  url: "/events/status",
  drawn() {
    fresh.classList.remove("beat");
    void fresh.offsetWidth; // lets the animation begin anew
    fresh.classList.add("beat");
    history();
    filter();
    document.title = `${document.querySelector("#verdict .words span").textContent} · ${document.querySelector(".who strong").textContent}`;
  },
  age(silent, stale) {
    silence = silent;
    const s = Math.floor(silent / 1000);
    fresh.textContent = s < 60 ? `updated ${s} s ago` : `updated ${Math.floor(s / 60)} min ago`;
    fresh.classList.toggle("old", stale);
    document.documentElement.toggleAttribute("data-stale", stale);
    if (stale === !nodata.hidden) return;
    nodata.hidden = !stale;
    nodata.replaceChildren();
    if (!stale) return;
    document.title = "NO DATA FROM BOX";
    const words = document.createElement("p"), sentence = document.createElement("h1"), reason = document.createElement("p");
    words.className = "words";
    words.append(shape(), "NO DATA FROM BOX");
    sentence.className = "sentence";
    sentence.textContent = "Treat supervision as lost.";
    reason.className = "reason";
    reason.textContent = "This page no longer hears from the box. Everything below is old. Check that the box has power and that this " +
      "device is on its network; the page goes on by itself.";
    nodata.append(words, sentence, reason);
  },
});

function shape() {
  const from = document.createElement("template");
  from.innerHTML = '<svg class="shape" viewBox="0 0 24 24" aria-hidden="true"><path class="body" d="M7.4 1h9.2L23 7.4v9.2L16.6 23H7.4L1 16.6V7.4z"/><path d="M8 8l8 8M16 8l-8 8"/></svg>';
  return from.content.firstChild;
}

pressable(document.getElementById("said"));
views();
meters("/api/v1/levels");
preview(() => silence);
history();

// views switches between what everybody needs and all there is; without script all is shown.
function views() {
  const root = document.documentElement, button = document.getElementById("view-advanced");
  const show = (all) => {
    root.dataset.view = all ? "advanced" : "basic";
    button.setAttribute("aria-pressed", String(all));
  };
  let kept = null;
  try { kept = localStorage.getItem("view"); } catch { /* not allowed here: basic */ }
  document.getElementById("views").hidden = false;
  show(kept === "advanced");
  button.addEventListener("click", () => {
    const all = root.dataset.view === "basic";
    show(all);
    try { localStorage.setItem("view", all ? "advanced" : "basic"); } catch { /* then for this page alone */ }
  });
}
