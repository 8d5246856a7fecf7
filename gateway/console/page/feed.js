// The gateway's word on all rooms, once a second. When it is silent the page says so: old words are not shown as new ones.

// staleAfter: three events missed.
const staleAfter = 3500;
// reopenAfter: an event source on a path that swallows everything raises no error; it is given this long to bring its first word.
const reopenAfter = 4000;

export class Feed extends EventTarget {
  #source = null;
  #heard = 0;
  #since = performance.now();
  #opened = 0;
  #watch = 0;
  rooms = [];
  you = null;
  fingerprint = "";

  open() {
    this.#source?.close();
    const source = new EventSource("/api/v1/events");
    this.#source = source;
    this.#opened = performance.now();
    this.#watch ||= setInterval(() => this.#reopen(), 1000);
    source.addEventListener("rooms", (e) => {
      const now = JSON.parse(e.data);
      this.#heard = performance.now();
      this.rooms = now.rooms;
      this.you = now.you;
      this.fingerprint = now.fingerprint;
      this.dispatchEvent(new Event("rooms"));
    });
    source.addEventListener("signed-out", () => location.assign("/signin"));
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) this.#refused();
    });
  }

  close() {
    this.#source?.close();
    this.#source = null;
    clearInterval(this.#watch);
    this.#watch = 0;
  }

  // A source that is closed was refused, and is opened again when that says.
  #reopen() {
    if (this.#source.readyState === EventSource.CLOSED) return;
    if (this.silence() && performance.now() - this.#opened > reopenAfter) this.open();
  }

  // An event stream that was refused does not say why; the same question asked plainly does.
  async #refused() {
    let wait = 2000 + Math.random() * 1000;
    try {
      const answer = await fetch("/api/v1/rooms", { signal: AbortSignal.timeout(reopenAfter) });
      if (answer.status === 401) {
        location.assign("/signin");
        return;
      }
      if (answer.status === 429) wait = 10000;
    } catch { /* no network: try again */ }
    setTimeout(() => this.#source && this.open(), wait);
  }

  // silence is for how long nothing came, in ms, if that is too long; else 0.
  silence() {
    const quiet = performance.now() - (this.#heard || this.#since);
    return quiet > staleAfter ? quiet : 0;
  }

  room(site) {
    return this.rooms.find((r) => r.site === site) ?? null;
  }
}
