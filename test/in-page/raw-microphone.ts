/**
 * Runs in a page before its own scripts: turns voice processing off, which takes a steady tone for noise and removes it.
 */
export function rawMicrophone(): void {
  if (navigator.mediaDevices === undefined) return;
  const devices = navigator.mediaDevices;
  const original = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (constraints) => {
    const audio = typeof constraints?.audio === 'object' ? constraints.audio : {};
    const raw = { ...audio, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    return original({ ...constraints, audio: raw });
  };
}
