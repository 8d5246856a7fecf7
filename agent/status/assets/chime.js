// The sound that announces somebody who looks in, where no loudspeaker of the box makes it (agent/chime.go): two notes that
// fall, made here, so that nothing needs to be loaded. It is not muted with the physician's voice: nobody can look in silently.

const notes = [[880, 0], [659.3, 0.22]]; // Hz, seconds from now
const long = 0.6;                        // seconds

let context = null;

// chime plays it, and says whether the browser let it. One that asks for a touch first is touched once by whoever sets it up;
// a kiosk is started with --autoplay-policy=no-user-gesture-required.
export async function chime() {
  context ??= new AudioContext();
  if (context.state !== "running") await Promise.race([context.resume(), new Promise((done) => setTimeout(done, 300))]);
  if (context.state !== "running") return false;
  for (const [hertz, wait] of notes) {
    const at = context.currentTime + wait, tone = context.createOscillator(), loud = context.createGain();
    tone.frequency.value = hertz;
    loud.gain.setValueAtTime(0, at);
    loud.gain.linearRampToValueAtTime(0.5, at + 0.02);
    loud.gain.exponentialRampToValueAtTime(0.001, at + long);
    tone.connect(loud).connect(context.destination);
    tone.start(at);
    tone.stop(at + long);
  }
  return true;
}
