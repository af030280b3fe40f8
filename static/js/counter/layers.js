// The layers over the counter: who it is, one line, a prescription; and holding a sale.
import { openDialog } from "../shell.js";
import { play } from "../sounds.js";
import { sendAllQuantities } from "./lines.js";
import { $, basketId, hasLines, request, send, state } from "./till.js";

/** @param {string} text @param {string} kind */
export function identify(text, kind) {
  send("/person", { text, how: kind === "certificate" ? "ecert" : "card", buyer: "self" });
}

/** @param {HTMLDialogElement} dialog @param {string} text @param {string} kind */
export function fillCredential(dialog, text, kind) {
  const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
  /** @type {HTMLInputElement} */ (form.elements.namedItem("text")).value = text;
  /** @type {HTMLInputElement} */ (form.elements.namedItem("how")).value = kind === "certificate" ? "ecert" : "card";
  const buyer = /** @type {RadioNodeList} */ (form.elements.namedItem("buyer")).value;
  play("accepted");
  if (buyer === "self") form.requestSubmit();
}

// A figure typed by hand is typed, whatever was scanned before it.
document.getElementById("credential")?.addEventListener("keydown", () => {
  const how = /** @type {HTMLInputElement | null} */ (document.querySelector("#person-dialog [name=how]"));
  if (how) how.value = "typed";
});

/** @param {string} buyer */
export function openPerson(buyer) {
  const form = /** @type {HTMLFormElement} */ ($("#person-dialog form"));
  form.reset();
  /** @type {RadioNodeList} */ (form.elements.namedItem("buyer")).value = buyer;
  openDialog("person-dialog");
}

export function openLine() {
  if (!state.selected) return;
  $("#line-part")?.replaceChildren();
  openDialog("line-dialog");
  request("GET", `/counter/baskets/{basket}/lines/${state.selected}`, { target: "#line-part", swap: "innerHTML" });
}

/** A lowered price for the chosen line, or for the whole bill. */
export function openDiscount() {
  if (!hasLines()) return;
  sendAllQuantities();
  $("#line-dialog")?.removeAttribute("open");
  const form = /** @type {HTMLFormElement} */ ($("#discount-dialog form"));
  form.reset();
  /** @type {HTMLInputElement} */ (form.elements.namedItem("line")).value = state.selected;
  const said = $("[data-discounted]");
  if (said) said.textContent = $(`#line-${state.selected} .name`)?.firstChild?.textContent ?? "";
  openDialog("discount-dialog");
}

export function openBuyer() {
  if (hasLines()) openDialog("buyer-dialog");
}

/** @param {string} number */
export function openPrescriptions(number) {
  $("#prescription-part")?.replaceChildren();
  openDialog("prescription-dialog");
  request("GET", "/counter/prescriptions", { target: "#prescription-part", swap: "innerHTML", values: { basket: basketId(), number } });
}

export function hold() {
  if (hasLines()) {
    sendAllQuantities();
    send("/hold");
  } else $("[data-held]")?.focus();
}

