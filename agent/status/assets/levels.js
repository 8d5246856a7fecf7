// The level meters: numbers from the box, five a second, while the page is in front. No sound comes to the page.

const low = -60, silentAfter = 2000; // dBFS; ms without a number after which none is shown

export function meters(url) {
  let source = null, heard = performance.now();
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  function open() {
    source?.close();
    source = new EventSource(url);
    heard = performance.now();
    let drawn = 0;
    source.addEventListener("levels", (event) => {
      heard = performance.now();
      if (calm.matches && heard - drawn < 1000) return;
      drawn = heard;
      const now = JSON.parse(event.data);
      draw("microphone", now.microphone);
      draw("loudspeaker", now.loudspeaker);
    });
  }

  function follow() {
    if (document.hidden) {
      source?.close();
      source = null;
    } else if (!source || source.readyState === EventSource.CLOSED) open();
    if (source && performance.now() - heard > silentAfter) {
      const unknown = { sentence: "Not known: the box does not say.", rms_dbfs: null };
      draw("microphone", unknown);
      draw("loudspeaker", unknown);
    }
  }
  document.addEventListener("visibilitychange", follow);
  setInterval(follow, 1000);
  follow();
}

function draw(name, sound) {
  const box = document.getElementById(`level-${name}`);
  if (!box) return;
  const [sentence, meter, numbers] = box.children, none = sound.rms_dbfs === null;
  const share = (v) => `${100 * Math.max(0, Math.min(1, (v - low) / -low))}%`;
  const words = none ? "not measured" : sound.peak_dbfs <= -120 ? "nothing at all" : `${sound.rms_dbfs.toFixed(0)} dBFS, peak ${sound.peak_dbfs.toFixed(0)} dBFS`;
  if (sentence.textContent !== sound.sentence) sentence.textContent = sound.sentence;
  numbers.firstElementChild.textContent = words;
  meter.setAttribute("aria-valuenow", String(none ? low : Math.round(Math.max(low, Math.min(0, sound.rms_dbfs)))));
  meter.setAttribute("aria-valuetext", words);
  meter.classList.toggle("none", none);
  meter.classList.toggle("loud", !none && sound.peak_dbfs >= -3);
  meter.firstElementChild.style.width = none ? "0" : share(sound.rms_dbfs);
  meter.lastElementChild.style.left = none ? "0" : share(sound.peak_dbfs);
}
