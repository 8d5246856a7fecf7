// One WebRTC connection to the gateway by WHIP or WHEP: POST an offer, get an answer, DELETE at the end.

// gatherPatience: the gateway finds the way back to us by itself; our own candidates only help, so we do not wait long.
const gatherPatience = 300;

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.title ?? `The gateway answered ${status}.`);
    this.status = status;
    this.kind = (problem.type ?? "").replace("urn:scanside:problem:", "");
    this.detail = problem.detail ?? "";
  }
}

function gathered(pc) {
  return new Promise((done) => {
    if (pc.iceGatheringState === "complete") return done();
    const timer = setTimeout(done, gatherPatience);
    pc.addEventListener("icegatheringstatechange", () => {
      if (pc.iceGatheringState === "complete") {
        clearTimeout(timer);
        done();
      }
    });
  });
}

// relayLife: credentials of relays are good for six hours; they are asked for anew long before.
const relayLife = 3600000;
let relays = null, relaysAt = 0;

// iceServers are the relays that the gateway names, for networks that let nothing else through.
async function iceServers(signal) {
  if (relays && performance.now() - relaysAt < relayLife) return relays;
  try {
    const answer = await fetch("/api/v1/relays", { signal });
    if (!answer.ok) return [];
    relays = (await answer.json()).iceServers;
    relaysAt = performance.now();
    return relays;
  } catch {
    return []; // the offer that follows says what is wrong
  }
}

// negotiate offers pc at url and returns the session's address. The caller closes pc when this throws.
export async function negotiate(pc, url, signal) {
  pc.setConfiguration({ ...pc.getConfiguration(), iceServers: await iceServers(signal) });
  await pc.setLocalDescription();
  await gathered(pc);
  const answer = await fetch(url, {
    method: "POST", headers: { "Content-Type": "application/sdp" }, body: pc.localDescription.sdp, signal,
  });
  if (answer.status === 401) location.assign("/signin");
  if (answer.status !== 201) {
    const json = (answer.headers.get("Content-Type") ?? "").includes("json");
    throw new Refused(answer.status, json ? await answer.json() : {});
  }
  const session = new URL(answer.headers.get("Location"), answer.url).pathname;
  try {
    await pc.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  } catch (error) {
    forget(session);
    throw error;
  }
  return session;
}

// forget ends a session; it works while the page is being closed, too.
export function forget(session) {
  if (session) fetch(session, { method: "DELETE", keepalive: true }).catch(() => {});
}
