// What is given and what goes back. This is arithmetic for the eye: the server checks every figure again.
import { moneyOf } from "./forms.js";

/** @typedef {{kind: "cash" | "wechat" | "alipay" | "card", amount: number}} Tender */

/** @param {string} text yuan @returns {number | undefined} fen */
export function fenOf(text) {
  const yuan = moneyOf(text);
  return yuan === undefined ? undefined : Number(yuan.replace(".", "")); // Two places: whole fen, no fractions on the way.
}

/** @param {number} fen @returns {string} yuan, thousands apart */
export function yuan(fen) {
  const digits = String(Math.abs(fen)).padStart(3, "0");
  return `${fen < 0 ? "−" : ""}${digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",")}.${digits.slice(-2)}`;
}

/**
 * Banknotes a person is likely to hand over for this sum, the smallest first.
 * @param {number} due fen
 * @returns {number[]} fen, at most two
 */
export function likelyNotes(due) {
  const rounded = [1000, 2000, 5000, 10000].map((note) => Math.ceil(due / note) * note);
  return [...new Set(rounded)].filter((sum) => sum > due).sort((one, other) => one - other).slice(0, 2);
}

const part = (/** @type {string} */ selector) => /** @type {HTMLElement | null} */ (document.querySelector(selector));
const got = () => /** @type {HTMLInputElement | null} */ (document.getElementById("got"));
const others = () => [.../** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[data-tender]"))];

/** What is still to be paid, as the server said. @returns {number} fen */
export function due() {
  return Number(part("#split")?.dataset.dueFen ?? 0);
}

/** Paid by something other than cash. @returns {Tender[]} */
function otherTenders() {
  return others()
    .map((field) => /** @type {Tender} */ ({ kind: field.dataset.tender, amount: fenOf(field.value) ?? 0 }))
    .filter((tender) => tender.amount > 0);
}

/** Cash that must be handed over. @returns {number} fen */
function cashDue() {
  return due() - otherTenders().reduce((sum, tender) => sum + tender.amount, 0);
}

/** An empty field means the exact sum; what is no sum at all is undefined. @returns {number | undefined} fen */
function cashGiven() {
  const typed = got()?.value.trim() ?? "";
  return typed === "" ? Math.max(cashDue(), 0) : fenOf(typed);
}

/** What goes back; negative when too little was given, undefined when the figure cannot be read. @returns {number | undefined} fen */
export function change() {
  const given = cashGiven();
  return given === undefined ? undefined : given - cashDue();
}

/** Everything handed over, for the server. @returns {Tender[]} */
export function tenders() {
  const cash = cashGiven() ?? 0;
  return [...(cash > 0 ? [/** @type {Tender} */ ({ kind: "cash", amount: cash })] : []), ...otherTenders()];
}

/** Show the change, the quick notes and what is paid otherwise; after every answer and every key. */
export function show() {
  const open = Number(part("#basket")?.dataset.lines ?? 0) > 0 && !part("#split")?.dataset.needsPreview; // Who pays what is not known yet.
  const field = got();
  if (!field) return;
  field.disabled = !open;
  part("#tender")?.classList.toggle("idle", !open);
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("#tender button"))) button.disabled = !open;
  if (open) showOpen(field);
  else field.placeholder = "";
}

/** @param {HTMLInputElement} field */
function showOpen(field) {
  const back = change();
  const lacks = back === undefined || back < 0;
  const label = part("[data-change-label]");
  const output = part("[data-change-output]");
  if (label) label.textContent = (lacks ? label.dataset.lacks : label.dataset.change) ?? "";
  if (output) {
    output.textContent = back === undefined ? "—" : yuan(Math.abs(back));
    output.className = lacks ? "stop" : "";
  }
  field.setAttribute("aria-invalid", String(lacks));
  field.placeholder = yuan(Math.max(cashDue(), 0));
  showOthers();
  showNotes();
}

function showOthers() {
  const sum = otherTenders().reduce((total, tender) => total + tender.amount, 0);
  const note = part("[data-others]");
  const left = part("[data-cash-left]");
  if (note) note.textContent = sum > 0 ? ` + ${yuan(sum)}` : "";
  if (left) left.textContent = yuan(Math.max(cashDue(), 0));
}

function showNotes() {
  const [exact, ...rest] = /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-quick]"));
  const notes = likelyNotes(Math.max(cashDue(), 0));
  if (exact) exact.dataset.quick = "";
  rest.forEach((button, place) => {
    const note = notes[place];
    button.hidden = note === undefined;
    button.dataset.quick = note === undefined ? "" : yuan(note);
    button.textContent = note === undefined ? "" : String(note / 100);
  });
}

/** A new sale begins with empty hands. */
export function clear() {
  const field = got();
  if (field) field.value = "";
  for (const other of others()) other.value = "";
}

document.addEventListener("input", (event) => {
  if (event.target instanceof Element && event.target.matches("#got, [data-tender]")) show();
});

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("[data-quick]")) : null;
  const field = got();
  if (!button || !field) return;
  field.value = button.dataset.quick ?? "";
  show();
  field.focus();
});
