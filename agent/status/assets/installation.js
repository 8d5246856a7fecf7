import { follow } from "/assets/live.js";
import { pressable } from "/assets/press.js";

const fresh = document.getElementById("fresh"), nodata = document.getElementById("nodata");

follow({
  url: "/events/installation",
  age(silent, stale) {
    fresh.textContent = `updated ${Math.floor(silent / 1000)} s ago`;
    fresh.classList.toggle("old", stale);
    document.documentElement.toggleAttribute("data-stale", stale);
    if (stale === !nodata.hidden) return;
    nodata.hidden = !stale;
    nodata.textContent = stale ? "NO DATA FROM BOX. Nothing below is true any more; the page goes on by itself." : "";
  },
});

pressable(document.getElementById("said"));
