// A WHEP player (draft-ietf-wish-whep): one POST, one DELETE. It begins again by itself for as long as the page is open.

export function play(url, { stream, kinds = ["audio", "video"], refused }) {
  let peer = null, resource = null, wait = 500, later = 0, over = false;

  async function start() {
    const pc = peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const received = new MediaStream();
    for (const kind of kinds) pc.addTransceiver(kind, { direction: "recvonly" });
    pc.ontrack = ({ track }) => {
      received.addTrack(track);
      if (received.getTracks().length === kinds.length) stream(received);
    };
    pc.onconnectionstatechange = () => {
      if (pc.connectionState === "connected") wait = 500;
      if (pc.connectionState === "failed" || pc.connectionState === "closed") again(pc);
    };
    try {
      await pc.setLocalDescription();
      await gathered(pc);
      const answer = await fetch(url, {
        method: "POST", headers: { "Content-Type": "application/sdp" }, body: pc.localDescription.sdp, signal: AbortSignal.timeout(5000),
      });
      if (answer.status !== 201) {
        const problem = await answer.json().catch(() => ({}));
        throw Object.assign(new Error(problem.detail ?? `The box answered ${answer.status}.`), { final: [401, 403, 404].includes(answer.status) });
      }
      resource = new URL(answer.headers.get("Location"), answer.url);
      if (over) return end();
      await pc.setRemoteDescription({ type: "answer", sdp: await answer.text() });
      setTimeout(() => { if (pc.connectionState !== "connected") again(pc); }, 8000);
    } catch (error) {
      refused?.(error.name === "Error" ? error.message : "The box did not answer.", error.final === true);
      again(pc);
    }
  }

  function again(pc) {
    if (pc !== peer) return;
    peer = null;
    pc.close();
    end();
    later = setTimeout(start, wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, 5000);
  }

  function end() {
    if (resource) fetch(resource, { method: "DELETE", keepalive: true }).catch(() => {});
    resource = null;
  }

  addEventListener("pagehide", end);
  start();
  return {
    // stop ends it for good.
    stop() {
      over = true;
      clearTimeout(later);
      const pc = peer;
      peer = null;
      pc?.close();
      end();
    },
    // voice counts what arrived, by the browser's own word.
    async voice() {
      const sum = { packets: 0, lost: 0, level: 0 };
      for (const report of (await peer?.getStats())?.values() ?? []) {
        if (report.type !== "inbound-rtp" || report.kind !== "audio") continue;
        sum.packets = report.packetsReceived;
        sum.lost = Math.max(0, report.packetsLost);
        sum.level = report.audioLevel ?? 0;
      }
      return sum;
    },
  };
}

// gathered waits for the addresses, but not for long: what is missing, the box learns from the checks themselves.
function gathered(pc) {
  if (pc.iceGatheringState === "complete") return;
  return new Promise((done) => {
    setTimeout(done, 1000);
    pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done();
  });
}
