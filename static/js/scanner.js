// One listener for the whole page: a scanner types faster than a person and ends with Enter or Tab. Wherever the focus
// is, its characters are taken back out of the field they fell into and go to the page as one `sunmed:scan` event.
// Keys that the page took as commands (+ - * on a line) do not make a scan, however fast they came; where enough is left
// to be one, the code stays whole, and `detail.taken` names the characters that were acted upon.
import { classify } from "./codes.js";
import { whenWhole } from "./whole.js";

/** Gaps under this many milliseconds, at least this many characters: a machine, not a person. */
export const GAP = 35;
export const LEAST = 6;
/** Some scanners rest a moment before the closing Enter, and any may stumble on a slow machine once it is known for one. */
const LAST_GAP = 150;

/** @typedef {HTMLInputElement | HTMLTextAreaElement} Field */
/** What a field held before the burst: text and selection. @typedef {{value: string, start: number | null, end: number | null}} Held */

/** The burst that may be under way. The focus can move in the middle of it, so every field it fell into is remembered. */
let burst = begin();
/** Keys that came as fast before or after another as only a machine's do. @type {WeakSet<KeyboardEvent>} */
const crowded = new WeakSet();

document.addEventListener("keydown", hear, { capture: true });
// A page may move the focus while the first character is on its way; what counts is the field it falls into.
document.addEventListener("beforeinput", (event) => burst.text !== "" && remember(event.target), { capture: true });
// By now the page has heard the key too.
window.addEventListener("keydown", (event) => {
  if (event === burst.event && event.defaultPrevented) burst.taken += signOf(event);
});

/** @param {KeyboardEvent} event */
function hear(event) {
  if (event.key === "Shift") return;
  if (event.key === "Enter" || event.key === "Tab") {
    if (burst.text.length - burst.taken.length >= LEAST && event.timeStamp - burst.last <= LAST_GAP) take(event);
    burst = begin();
    return;
  }
  const sign = event.repeat ? "" : signOf(event); // A key that is held down is a person's.
  if (sign === "") {
    burst = begin();
    return;
  }
  const gap = burst.text.length < LEAST ? GAP : LAST_GAP;
  if (burst.event && event.timeStamp - burst.last <= gap) crowded.add(burst.event).add(event);
  else burst = begin();
  remember(event.target);
  burst.text += sign;
  burst.last = event.timeStamp;
  burst.event = event;
}

/**
 * For a letter that is a command and cannot be taken back: do it only when the key was pressed by itself, never when
 * the letter is part of a code.
 * @param {KeyboardEvent} event @param {() => void} act
 */
export function whenAlone(event, act) {
  window.setTimeout(() => !crowded.has(event) && act(), GAP + 10);
}

/**
 * The scan is complete: give the fields back what they held before, and tell the page.
 * @param {KeyboardEvent} event
 */
function take(event) {
  if ([...burst.fields.keys()].some((field) => field.matches("[type=password], [data-no-scan]"))) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  for (const [field, held] of burst.fields) restore(field, held);
  const detail = { ...classify(burst.text), taken: burst.taken };
  whenWhole(() => document.dispatchEvent(new CustomEvent("sunmed:scan", { detail, cancelable: true })));
}

/** @param {Field} field @param {Held} held */
function restore(field, { value, start, end }) {
  field.value = value;
  if (start !== null) field.setSelectionRange(start, end);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function begin() {
  return { text: "", last: 0, taken: "", event: /** @type {KeyboardEvent | undefined} */ (undefined), fields: /** @type {Map<Field, Held>} */ (new Map()) };
}

/**
 * Remember what a field holds before the first character of the burst arrives in it.
 * @param {EventTarget | null} target
 */
function remember(target) {
  const editable = target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && !target.readOnly && !target.disabled);
  if (!editable) return;
  const field = /** @type {Field} */ (target);
  if (!burst.fields.has(field)) burst.fields.set(field, { value: field.value, start: field.selectionStart, end: field.selectionEnd });
}

/**
 * The character of a key. With a Chinese input method on, the key is called Process; then the place on the board tells.
 * @param {KeyboardEvent} event
 */
function signOf(event) {
  if (event.ctrlKey && event.code === "BracketRight") return "\u001d"; // How most scanners send the GS1 separator.
  if (event.ctrlKey || event.altKey || event.metaKey) return "";
  if (event.key.length === 1) return event.key;
  if (event.key !== "Process") return "";
  const place = /^(?:Digit|Numpad)(\d)$|^Key([A-Z])$/.exec(event.code);
  if (place) return place[1] ?? (event.shiftKey ? place[2] : place[2].toLowerCase());
  return event.code === "Minus" ? "-" : "";
}
