// One listener for the whole page: a scanner types faster than a person and ends with Enter or Tab. Wherever the focus
// is, its characters are taken back out of the field they fell into and go to the page as one `sunmed:scan` event.
import { classify } from "./codes.js";

/** Gaps under this many milliseconds, at least this many characters: a machine, not a person. */
export const GAP = 35;
export const LEAST = 6;
/** Some scanners rest a moment before the closing Enter. */
const LAST_GAP = 150;

/** @typedef {HTMLInputElement | HTMLTextAreaElement} Field */

/** The burst that may be under way. @type {{text: string, last: number, field: Field | null, value: string, start: number | null, end: number | null}} */
let burst = begin(null);

document.addEventListener("keydown", hear, { capture: true });

/** @param {KeyboardEvent} event */
function hear(event) {
  if (event.key === "Shift") return;
  if (event.key === "Enter" || event.key === "Tab") {
    if (burst.text.length >= LEAST && event.timeStamp - burst.last <= LAST_GAP) take(event);
    burst = begin(null);
    return;
  }
  const sign = signOf(event);
  if (sign === "") {
    burst = begin(null);
    return;
  }
  if (burst.text === "" || event.timeStamp - burst.last > GAP) burst = begin(event.target);
  burst.text += sign;
  burst.last = event.timeStamp;
}

/**
 * The scan is complete: give the field back what it held before, and tell the page.
 * @param {KeyboardEvent} event
 */
function take(event) {
  if (burst.field?.matches("[type=password], [data-no-scan]")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  restore();
  document.dispatchEvent(new CustomEvent("sunmed:scan", { detail: classify(burst.text), cancelable: true }));
}

function restore() {
  const { field, value, start, end } = burst;
  if (!field) return;
  field.value = value;
  if (start !== null) field.setSelectionRange(start, end);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/**
 * Remember what the field holds before the first character arrives.
 * @param {EventTarget | null} target
 */
function begin(target) {
  const editable = target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && !target.readOnly && !target.disabled);
  const field = editable ? /** @type {Field} */ (target) : null;
  return { text: "", last: 0, field, value: field?.value ?? "", start: field?.selectionStart ?? null, end: field?.selectionEnd ?? null };
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
