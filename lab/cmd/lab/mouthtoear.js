// What a video call inside one browser would be: its microphone, two peer connections of its own, its loudspeaker.
(async () => {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
  const mouth = new RTCPeerConnection(), ear = new RTCPeerConnection();
  mouth.onicecandidate = (e) => e.candidate && ear.addIceCandidate(e.candidate);
  ear.onicecandidate = (e) => e.candidate && mouth.addIceCandidate(e.candidate);
  const sound = new Audio();
  ear.ontrack = (e) => { sound.srcObject = e.streams[0]; sound.play(); };
  mouth.addTrack(stream.getAudioTracks()[0], stream);
  await mouth.setLocalDescription();
  await ear.setRemoteDescription(mouth.localDescription);
  await ear.setLocalDescription();
  await mouth.setRemoteDescription(ear.localDescription);
  window.mouthToEar = { mouth, ear, sound };
  return true;
})()
