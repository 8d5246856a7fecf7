// What both pages share: follow the box's event stream, put each new drawing in place without losing focus, and say so when
// the box has gone silent. The box draws; this only places.

// ms without news after which nothing on the page may be believed. The box speaks every second; with the second by which its
// last word may be older than its end, and a tick, the page says so within 5 s.
const stale = 4000;
const tickEvery = 250; // ms

export function follow({ url, drawn, age }) {
  let source, heard = performance.now(), opened = 0;

  const open = () => {
    source?.close();
    opened = performance.now();
    source = new EventSource(url);
    source.addEventListener("page", (event) => {
      heard = performance.now();
      place(document.getElementById("now"), event.data);
      drawn?.();
      tick();
    });
  };

  const tick = () => {
    const silent = performance.now() - heard;
    age(silent, silent >= stale);
    // A stream over a dead path never fails by itself, and a refused one stays closed: open a new one now and then.
    const hopeless = source.readyState === EventSource.CLOSED || silent >= stale;
    if (hopeless && performance.now() - opened > 3000) {
      if (source.readyState === EventSource.CLOSED) signedOut(url);
      open();
    }
  };

  open();
  setInterval(tick, tickEvery);
  document.addEventListener("visibilitychange", tick);
}

// signedOut loads the page anew when the box answers that whoever looks is not signed in any more: it then leads to the sign-in.
async function signedOut(url) {
  const asked = new AbortController();
  const answer = await fetch(url, { headers: { Accept: "text/event-stream" }, signal: asked.signal }).catch(() => null);
  asked.abort();
  if (answer?.status === 401) location.reload();
}

export function place(now, html) {
  const wanted = new DOMParser().parseFromString(`<main>${html}</main>`, "text/html").querySelector("main");
  children(now, wanted);
}

// children makes have's children the same as want's, keeping every element that can be kept: a screen reader hears only what
// changed, and a pressed key or an open list is not lost.
function children(have, want) {
  let at = have.firstChild;
  for (const w of [...want.childNodes]) {
    const same = match(at, w);
    if (!same) {
      have.insertBefore(document.importNode(w, true), at);
      continue;
    }
    while (at !== same) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
    at = same.nextSibling;
    update(same, w);
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

// match finds from at on the node that stands for w: the same id, or for nodes without one the very next.
function match(at, w) {
  if (w.nodeType === Node.ELEMENT_NODE && w.id) {
    for (let n = at; n; n = n.nextSibling) if (n.id === w.id && n.nodeName === w.nodeName) return n;
    return null;
  }
  return at && at.nodeType === w.nodeType && at.nodeName === w.nodeName && !at.id ? at : null;
}

function update(have, want) {
  if (have.dataset && "keep" in have.dataset) return; // a script keeps it: a running picture, a meter
  if (have.nodeType !== Node.ELEMENT_NODE) {
    if (have.nodeValue !== want.nodeValue) have.nodeValue = want.nodeValue;
    return;
  }
  for (const { name } of [...have.attributes]) {
    if (!want.hasAttribute(name) && name !== "open" && name !== "aria-busy") have.removeAttribute(name);
  }
  for (const { name, value } of want.attributes) {
    if (have.getAttribute(name) !== value) have.setAttribute(name, value);
  }
  children(have, want);
}
