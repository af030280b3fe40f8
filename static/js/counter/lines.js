// The lines of the basket: which one the keys act upon, and how many of it.
import { $, rows, send, standing, state, till } from "./till.js";

const QUANTITY_REST = 180; // Milliseconds of quiet before a quantity is sent: + + + is one change.
/** Quantities typed but not yet sent, by line. @type {Map<string, {quantity: number, timer: number}>} */
export const waiting = new Map();


/** @param {string} line @param {boolean} [byPerson] */
export function select(line, byPerson = false) {
  state.selected = line;
  if (byPerson) state.movedAt = performance.now();
  for (const row of rows()) {
    row.classList.toggle("on", row.dataset.line === line);
    row.toggleAttribute("aria-current", row.dataset.line === line);
    if (row.dataset.line === line) row.setAttribute("aria-current", "true");
  }
  $(`#line-${line}`)?.scrollIntoView({ block: "nearest" });
}

/** @param {number} step */
export function moveLine(step) {
  const all = rows();
  const now = all.findIndex((row) => row.dataset.line === state.selected);
  const next = all[Math.min(Math.max(now + step, 0), all.length - 1)];
  if (next) select(next.dataset.line ?? "", true);
}

/** After an answer about a line: that line is chosen, unless the person has chosen another since asking. */
export function reselect() {
  if (standing() === "unknown") return;
  const said = $("#basket")?.dataset.selected ?? "";
  const keep = (state.movedAt > state.answerAskedAt || !state.answerChooses) && rows().some((row) => row.dataset.line === state.selected);
  const last = rows().at(-1)?.dataset.line ?? "";
  select(keep ? state.selected : said || (rows().some((row) => row.dataset.line === state.selected) ? state.selected : last));
  for (const [line, { quantity }] of waiting) showQuantity(line, quantity);
  goOnTyping();
}

/** A quantity that was being typed when an answer replaced its row. @type {{line: string, value: string, start: number | null, end: number | null} | undefined} */
let typed;

till.addEventListener("htmx:oobBeforeSwap", () => {
  const field = document.activeElement;
  if (!(field instanceof HTMLInputElement) || !field.matches("[data-quantity]")) return;
  const line = /** @type {HTMLElement | null} */ (field.closest("tr.line"))?.dataset.line ?? "";
  typed = { line, value: field.value, start: field.selectionStart, end: field.selectionEnd };
});

/** A late answer never overwrites newer typing: the new field takes over what the old one held. */
function goOnTyping() {
  const field = typed && quantityField(typed.line);
  if (typed && field && field !== document.activeElement) {
    if (state.selected !== typed.line) select(typed.line, true);
    field.focus();
    field.value = typed.value;
    if (typed.start !== null) field.setSelectionRange(typed.start, typed.end);
  }
  typed = undefined;
}

export const quantityField = (/** @type {string} */ line) => /** @type {HTMLInputElement | null} */ (document.querySelector(`#line-${line} [data-quantity]`));

export function typeQuantity() {
  const field = quantityField(state.selected);
  field?.focus();
  field?.select();
}

/** @param {string} line @param {number} quantity */
export function showQuantity(line, quantity) {
  const field = quantityField(line);
  const shown = $(`#line-${line} .qty`);
  if (field && field !== document.activeElement) field.value = String(quantity);
  if (shown) shown.textContent = String(quantity);
}

/** @param {string} line @param {number} quantity */
export function setQuantity(line, quantity) {
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > 999_999) return;
  clearTimeout(waiting.get(line)?.timer);
  waiting.set(line, { quantity, timer: window.setTimeout(() => sendQuantity(line), QUANTITY_REST) });
  showQuantity(line, quantity);
}

/** @param {string} line */
export function sendQuantity(line) {
  const change = waiting.get(line);
  if (!change) return;
  clearTimeout(change.timer);
  waiting.delete(line);
  send(`/lines/${line}`, { quantity: change.quantity });
}

/** What the last steps began from, so that they can be taken back. @type {{line: string, quantity: number, told: boolean}[]} */
const steps = [];
const STEPS_KEPT = 8;

/** @param {number} step */
export function stepQuantity(step) {
  const line = state.selected;
  const before = waiting.get(line)?.quantity;
  const now = before ?? Number(quantityField(line)?.value);
  if (!line) return;
  steps.push({ line, quantity: now, told: before === undefined });
  if (steps.length > STEPS_KEPT) steps.shift();
  setQuantity(line, now + step);
}

/** These signs were the beginning of a scanned code (HIBC begins with +): as if they had not been. @param {string} signs */
export function takeBack(signs) {
  const count = [...signs].filter((sign) => "+-".includes(sign)).length;
  const first = count > 0 ? steps.splice(-count).at(0) : undefined;
  if (!first) return;
  const change = waiting.get(first.line);
  if (!change || !first.told) {
    setQuantity(first.line, first.quantity);
    return sendQuantity(first.line); // At once: what is said of the scan comes after it and stays.
  }
  clearTimeout(change.timer); // The server has heard nothing of it.
  waiting.delete(first.line);
  showQuantity(first.line, first.quantity);
}

export const sendAllQuantities = () => [...waiting.keys()].forEach(sendQuantity);

till.addEventListener("change", (event) => {
  const field = /** @type {HTMLInputElement} */ (event.target);
  const line = /** @type {HTMLElement | null} */ (field.closest("tr.line"))?.dataset.line;
  if (line && field.matches("[data-quantity]")) setQuantity(line, Number(field.value));
});

