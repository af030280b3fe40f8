// What is scanned or typed, and the list of products under the entry.
import { isPersonal } from "../codes.js";
import { topDialog } from "../shell.js";
import { play } from "../sounds.js";
import * as tender from "../tender.js";
import { fillCredential, identify, openPrescriptions } from "./layers.js";
import { takeBack } from "./lines.js";
import { toMoney } from "./pay.js";
import { $, entry, mount, send, standing, state, till } from "./till.js";

document.addEventListener("sunmed:scan", heard, { capture: true });


/** @param {Event} event */
export function heard(event) {
  const code = /** @type {CustomEvent<import("../codes.js").Code & {taken: string}>} */ (event).detail;
  takeBack(code.taken);
  const dialog = topDialog();
  if (dialog && dialog.id !== "person-dialog") return;
  event.preventDefault();
  if (state.sending || standing() === "unknown" || standing() === "closed") play("refused");
  else if (dialog) fillCredential(dialog, code.text, code.kind);
  else if (isPersonal(code)) identify(code.text, code.kind);
  else if (code.kind === "receipt") window.location.assign(`${mount}/counter/refunds/new?receipt=${encodeURIComponent(code.text)}`);
  else if (code.kind === "prescription") openPrescriptions(code.text);
  else send("/entries", { text: code.text, kind: "scan" });
}

till.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.id === "tender-form") return tender.show();
  if (form.id !== "entry-form") return;
  event.preventDefault();
  event.stopPropagation();
  enter();
});

/** Enter in the entry: take the chosen product, or send what was typed; with nothing typed, go on to the money. */
export function enter() {
  const field = entry();
  if (!field || state.sending) return;
  const text = field.value.trim();
  if (text === "") return toMoney();
  const chosen = $("#choices [aria-selected=true]");
  const fits = $("#choices [data-q]")?.dataset.q === text;
  take(chosen && fits ? chosen.dataset.product ?? "" : text, chosen && fits ? "picked" : "typed");
}

/** The field is free at once for the next; a refusal brings the text back. @param {string} text @param {string} kind */
export function take(text, kind) {
  const field = entry();
  state.sent = field?.value ?? "";
  if (field) field.value = "";
  closeChoices();
  send("/entries", { text, kind });
}

/**
 * @param {boolean} done
 * @param {{kind?: string}} parameters
 * @param {string} answer
 */
export function afterEntry(done, parameters, answer) {
  const choices = done && answer.includes("data-q=");
  if (parameters.kind === "scan" && done) play(choices ? "unknown" : "accepted");
  const field = entry();
  if ((!done || choices) && parameters.kind !== "scan" && field?.value === "") {
    field.value = state.sent;
    field.select();
  }
  openChoices();
}


export const options = () => [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#choices [role=option]"))];

export function openChoices() {
  entry()?.setAttribute("aria-expanded", String(options().length > 0));
  mark(options().find((one) => one.getAttribute("aria-selected") === "true"));
}

export function closeChoices() {
  $("#choices")?.replaceChildren();
  entry()?.setAttribute("aria-expanded", "false");
  entry()?.removeAttribute("aria-activedescendant");
}

/** @param {HTMLElement | undefined} option */
export function mark(option) {
  if (!option) return entry()?.removeAttribute("aria-activedescendant");
  for (const one of options()) one.setAttribute("aria-selected", String(one === option));
  entry()?.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

/** @param {number} step */
export function moveChoice(step) {
  const all = options();
  const now = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
  mark(all[Math.min(Math.max(now + step, 0), all.length - 1)]);
}

till.addEventListener("htmx:afterSwap", (event) => {
  if (/** @type {HTMLElement} */ (event.target).id !== "choices") return;
  const stale = $("#choices [data-q]")?.dataset.q !== entry()?.value.trim();
  if (stale) closeChoices(); // A late answer never stands under newer typing.
  else openChoices();
});

