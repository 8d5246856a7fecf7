// Small helpers of the page. Nothing here, and nowhere else, writes markup from text.

export const byId = (id) => document.getElementById(id);

// say sets an element's text when it differs, so that screen readers hear changes only.
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function show(node, on) {
  if (node.hidden === on) node.hidden = !on;
}

export function mark(node, name, value) {
  if (node.dataset[name] !== value) node.dataset[name] = value;
}

export function pressed(node, on) {
  const v = String(on);
  if (node.getAttribute("aria-pressed") !== v) node.setAttribute("aria-pressed", v);
}

// make builds an element: make("li", "class", child, "text", …).
export function make(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

// keep brings a list's items into the given order by key, building and removing as few as it can: focus stays where it is.
export function keep(list, items, keyOf, build, update) {
  const old = new Map([...list.children].map((n) => [n.dataset.key, n]));
  let at = list.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let node = old.get(key);
    if (node) {
      old.delete(key);
    } else {
      node = build(item);
      node.dataset.key = key;
    }
    if (node === at) at = at.nextElementSibling;
    else list.insertBefore(node, at);
    update(node, item);
  }
  for (const node of old.values()) node.remove();
}

// seconds says an age in words that fit a badge: 0.1 s, 4 s, 3 min.
export function seconds(ms) {
  if (ms < 10000) return `${(Math.floor(Math.max(ms, 0) / 100) / 10).toFixed(1)} s`;
  if (ms < 120000) return `${Math.floor(ms / 1000)} s`;
  return `${Math.floor(ms / 60000)} min`;
}

// whole says an age in whole seconds, for sentences.
export function whole(ms) {
  return ms < 120000 ? `${Math.floor(ms / 1000)} s` : `${Math.floor(ms / 60000)} min`;
}

export function percent(ratio) {
  if (ratio === null || ratio === undefined) return "";
  const p = ratio * 100;
  return `${p > 0 && p < 0.1 ? "under 0.1" : p.toFixed(p < 10 ? 1 : 0)} %`;
}
