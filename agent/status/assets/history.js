// The last day as bands of time, drawn from /api/v1/history once a minute. Each state has a height or a hatching besides its
// colour, and all of it stands in words and in a table too.

const day = 24 * 60;                                         // minutes
const least = 5;                                             // minutes of width that trouble has at least, or a phone would not show it
const height = { o: 20, n: 20, w: 14, b: 20, u: 6, c: 20, s: 6, d: 20 };
const tone = { o: "ok", n: "ok", w: "warning", b: "bad", u: "unknown", c: "ok", s: "standby", d: "bad" };
const words = { o: "good", n: "good", w: "warning", b: "bad", u: "unknown" };

export function graph() {
  const wanted = () => document.getElementById("history-uplinks")?.dataset.drawn;
  let drawn = null, asking = false;
  return async function drawAgain() {
    const box = document.getElementById("graph"), want = wanted();
    if (!box || !want || want === drawn || asking) return;
    asking = true;
    try {
      const answer = await fetch("/api/v1/history", { signal: AbortSignal.timeout(5000) });
      if (answer.ok) {
        draw(box, await answer.json());
        drawn = want;
      }
    } catch { /* the next drawing asks again */ } finally {
      asking = false;
    }
  };
}

function draw(box, h) {
  const opened = box.querySelector("details")?.open ?? false;
  const at = (i) => day - h.minutes + i;
  const parts = [lane("Verdict", h.sentence, bands(h.verdict, at))];
  for (const u of h.uplinks) {
    const loss = u.loss.map((m) => rect(at(m.minute) - least / 2, least, Math.min(20, 4 + m.value * 50), "warning"));
    parts.push(lane(u.name, `${u.name} ${u.sentence}`, [...bands(u.does, at), ...loss]));
  }
  const gaps = h.voice_gaps_ms.map((m) => rect(at(m.minute) - least / 2, least, Math.min(20, 5 * Math.log2(m.value / 30)), "warning"));
  const lost = h.voice_lost.map((m) => rect(at(m.minute) - least / 2, least, 20, "bad"));
  parts.push(lane("Pauses of voice", h.gap_sentence, [...gaps, ...lost]), axis(h), legend(), table(h));
  box.replaceChildren(...parts);
  box.querySelector("details").open = opened;
  box.hidden = false;
}

const make = (name, attributes = {}, ...children) => {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  e.append(...children);
  return e;
};

function rect(x, width, tall, of) {
  const r = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [k, v] of Object.entries({ x, width, y: 20 - tall, height: tall, class: of })) r.setAttribute(k, v);
  return r;
}

// bands joins minutes of one letter; trouble is drawn last and never too narrow to see.
function bands(letters, at) {
  const runs = [];
  for (let i = 0; i < letters.length; i++) {
    const last = runs.at(-1);
    if (last?.letter === letters[i]) last.n++;
    else runs.push({ letter: letters[i], from: i, n: 1 });
  }
  const trouble = (r) => "bdwu".includes(r.letter);
  return [...runs.filter((r) => !trouble(r)), ...runs.filter(trouble)].filter((r) => r.letter !== ".").map((r) => {
    const wide = trouble(r) ? Math.max(r.n, least) : r.n;
    return rect(at(r.from) - (wide - r.n) / 2, wide, height[r.letter], tone[r.letter]);
  });
}

function lane(name, label, rects) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [k, v] of Object.entries({ viewBox: `0 0 ${day} 20`, preserveAspectRatio: "none", role: "img", "aria-label": label })) svg.setAttribute(k, v);
  svg.append(...rects);
  return make("div", { class: "lane" }, make("p", {}, name), svg);
}

function axis(h) {
  const end = Date.parse(h.from) + h.minutes * 60000, row = make("div", { class: "axis", "aria-hidden": "true" });
  for (let back = 24; back >= 0; back -= 6) {
    row.append(make("span", {}, back === 0 ? "now" : new Date(end - back * 3600000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })));
  }
  return row;
}

function legend() {
  const row = make("p", { class: "legend" });
  for (const [of, text] of [["ok", "good, or carried"], ["standby", "stood by"], ["warning", "warning, loss"], ["bad", "bad, or down"]]) {
    row.append(make("span", {}, make("i", { class: of }), ` ${text}`));
  }
  return row;
}

// table is the same by hours, for whoever reads rather than looks.
function table(h) {
  const body = make("tbody"), begin = Date.parse(h.from), count = (s, of) => [...s].filter((c) => c === of).length;
  for (let from = 0; from < h.minutes;) {
    const to = Math.min(h.minutes, from + 60 - new Date(begin + from * 60000).getMinutes());
    const part = (s) => s.slice(from, to), worst = [..."bwuno"].find((c) => part(h.verdict).includes(c));
    const gap = Math.max(0, ...h.voice_gaps_ms.filter((m) => m.minute >= from && m.minute < to).map((m) => m.value));
    const row = make("tr", {}, make("th", { scope: "row" }, new Date(begin + from * 60000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })),
      make("td", {}, worst ? words[worst] : "off"));
    for (const u of h.uplinks) row.append(make("td", {}, `${count(part(u.does), "c")} / ${count(part(u.does), "d")} min`));
    row.append(make("td", {}, gap ? `${gap.toFixed(0)} ms` : "–"));
    body.prepend(row);
    from = to;
  }
  const head = make("tr", {}, ...["From", "Worst verdict", ...h.uplinks.map((u) => `${u.name}: carried / down`), "Pause of voice"].map((t) => make("th", { scope: "col" }, t)));
  return make("details", { class: "adv" }, make("summary", {}, "By the hour"), make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "The last day by the hour" },
    make("table", {}, make("thead", {}, head), body)));
}
