// A scan answers with a sound: accepted, unknown, refused. The person may turn them off; the choice stays on this machine.

const KEPT = "sunmed.sounds";

/** Each sound as notes of [hertz, starts after ms, lasts ms]. @type {Record<string, [number, number, number][]>} */
const NOTES = {
  accepted: [[1320, 0, 70]],
  unknown: [[660, 0, 90], [660, 140, 90]],
  refused: [[240, 0, 260]],
};

/** @type {AudioContext | undefined} */
let speaker;

/** @returns {boolean} */
export function soundsOn() {
  return localStorage.getItem(KEPT) !== "off";
}

/** @returns {boolean} whether sounds are on now */
export function toggleSounds() {
  localStorage.setItem(KEPT, soundsOn() ? "off" : "on");
  return soundsOn();
}

/** @param {"accepted" | "unknown" | "refused"} name */
export function play(name) {
  document.documentElement.dataset.lastSound = name; // For tests, and for a look at what was answered.
  if (!soundsOn() || typeof AudioContext === "undefined") return;
  speaker ??= new AudioContext();
  for (const [hertz, after, lasts] of NOTES[name]) note(speaker, hertz, after / 1000, lasts / 1000);
}

/**
 * @param {AudioContext} context
 * @param {number} hertz
 * @param {number} after
 * @param {number} lasts
 */
function note(context, hertz, after, lasts) {
  const tone = context.createOscillator();
  const volume = context.createGain();
  const start = context.currentTime + after;
  tone.type = "square";
  tone.frequency.value = hertz;
  volume.gain.setValueAtTime(0.06, start);
  volume.gain.exponentialRampToValueAtTime(0.001, start + lasts);
  tone.connect(volume).connect(context.destination);
  tone.start(start);
  tone.stop(start + lasts);
}
