// The cashier of a clinic: arrows walk the lists, the money is counted beside the bill, and a bill is sent once.
import "./new_ids.js";
import { openDialog, topDialog, typing } from "./shell.js";
import { printSlip } from "./sheet.js";
import { play } from "./sounds.js";
import * as tender from "./tender.js";

/** @template {Element} T @param {string} selector @returns {T | null} */
const $ = (selector) => /** @type {T | null} */ (document.querySelector(selector));
const settlement = () => /** @type {HTMLFormElement | null} */ ($("#settle"));

// ---------- lists ----------

/** Arrows walk through rows and sheets; in the search field they leave it. @param {KeyboardEvent} event @returns {boolean} */
function walk(event) {
  const steps = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-rows] a.nm, #sheets input[name=sheet]")]);
  const here = /** @type {HTMLElement} */ (event.target);
  const search = here.matches("[data-takes-scans]");
  if (!["ArrowDown", "ArrowUp"].includes(event.key) || steps.length === 0 || (typing(here) && !search)) return false;
  const at = steps.indexOf(here);
  if (event.key === "ArrowUp" && at < 1) /** @type {HTMLInputElement | null} */ ($("[data-takes-scans]"))?.focus();
  else steps[event.key === "ArrowDown" ? Math.min(at + 1, steps.length - 1) : at - 1].focus();
  return true;
}

/** @param {string} selector @returns {HTMLInputElement[]} */
const boxes = (selector) => /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll(selector)]);

$("#sheets")?.addEventListener("change", () => {
  const ticked = boxes("input[name=sheet]:checked");
  const there = new Set(ticked.map((one) => one.value));
  for (const one of boxes("input[name=package]")) one.disabled = !(one.dataset.sheets ?? "").split(" ").every((sheet) => there.has(sheet));
  const off = boxes("input[name=package]:checked:enabled").reduce((sum, one) => sum + Number(one.dataset.off), 0);
  const chosen = $("[data-chosen]");
  if (chosen) chosen.textContent = tender.yuan(ticked.reduce((sum, one) => sum + Number(one.dataset.fen), 0) - off);
  const button = /** @type {HTMLButtonElement | null} */ ($("#sheets [data-primary]"));
  if (button) button.disabled = ticked.length === 0;
});

// ---------- the bill ----------

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement)) return;
  if (form.id === "tender-form") return void setTimeout(tender.show);
  if (form.id !== "settle" || ready(form)) return;
  event.preventDefault();
  event.stopImmediatePropagation(); // Nothing was sent, so it may be sent again.
}, { capture: true });

/** What still stands before the settlement comes first; then the money is written into the form. @param {HTMLFormElement} form */
function ready(form) {
  if ($("#go [data-decide]")) return refused(() => openDialog("decide-dialog"));
  if (form.querySelector("[data-needs-preview=yes]")) return refused(preview);
  const consent = /** @type {HTMLInputElement | null} */ (form.querySelector("#consent"));
  if (consent && !consent.checked) return refused(() => consent.focus());
  const back = tender.change();
  if (back === undefined || back < 0) return refused(() => /** @type {HTMLInputElement | null} */ ($("#got"))?.select());
  /** @type {HTMLInputElement} */ (form.elements.namedItem("tenders")).value = JSON.stringify(tender.tenders());
  return true;
}

/** @param {() => void} then @returns {false} */
function refused(then) {
  play("unknown");
  then();
  return false;
}

function preview() {
  /** @type {HTMLFormElement | null} */ ($("#preview"))?.requestSubmit();
}

function consent() {
  const box = /** @type {HTMLInputElement | null} */ ($("#consent"));
  if (box) box.checked = !box.checked;
}

/** Each print is counted; from the second on the slip says so. */
export function print() {
  const bill = /** @type {HTMLElement | null} */ ($("#bill [data-prints]"))?.dataset.prints;
  const token = $("meta[name=csrf-token]")?.getAttribute("content") ?? "";
  if (bill) printSlip(bill, { method: "POST", headers: { "X-CSRFToken": token } }).catch(() => play("refused"));
}

// ---------- keys, clicks, scans ----------

/** @type {Record<string, () => void>} */
const KEYS = { F2: () => openDialog("person-dialog"), F8: preview, F6: () => /** @type {HTMLElement | null} */ ($("#refund-link"))?.click() };
/** @type {Record<string, () => void>} */
const ALT_KEYS = { KeyM: () => openDialog("tender-dialog"), KeyC: consent, KeyP: print };

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || topDialog() || event.ctrlKey || event.metaKey) return;
  const act = event.altKey ? ALT_KEYS[event.code] : KEYS[event.key];
  const inMoney = event.key === "Enter" && /** @type {HTMLElement} */ (event.target).id === "got";
  if (!act && !inMoney && (event.altKey || !walk(event))) return;
  event.preventDefault();
  if (event.repeat) return;
  if (inMoney) settlement()?.requestSubmit();
  else act?.();
});

document.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest("[data-act=decide]")) openDialog("decide-dialog");
  if (target.closest("[data-act=print]")) print();
});

// A card read here, wherever the focus is: the list looks for its holder, the bill lets insurance pay.
document.addEventListener("sunmed:scan", (event) => {
  const { text, kind } = /** @type {CustomEvent<import("./codes.js").Code>} */ (event).detail;
  const credential = /** @type {HTMLInputElement | null} */ ($("#credential"));
  const search = /** @type {HTMLInputElement | null} */ ($("[data-takes-scans]"));
  const field = search ?? (["certificate", "citizen", "card", "unknown"].includes(kind) ? credential : null);
  if (!field || (topDialog() && topDialog()?.id !== "person-dialog")) return;
  event.preventDefault();
  field.value = text;
  field.form?.requestSubmit();
}, { capture: true });

// ---------- beginnings ----------

function arrived() {
  const bill = $("#bill");
  if (bill?.querySelector("[data-just-settled]")) {
    play("accepted");
    print();
    window.history.replaceState(null, "", window.location.pathname);
  }
  tender.show();
}

document.addEventListener("htmx:afterSwap", arrived);
if ($("#bill")) arrived();
