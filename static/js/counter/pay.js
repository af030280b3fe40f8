// The money: preview, settle once, ask when no answer came, print, and make ready for the next person.
import { hush, openDialog, say, topDialog } from "../shell.js";
import { printSlip } from "../sheet.js";
import { play } from "../sounds.js";
import * as tender from "../tender.js";
import { reselect, sendAllQuantities, waiting } from "./lines.js";
import { $, basketId, entry, hasLines, mount, request, root, send, state } from "./till.js";

const ASK_AGAIN = 2000;


export function toMoney() {
  if (!hasLines()) return;
  if ($("#split")?.dataset.needsPreview) return preview();
  const field = /** @type {HTMLInputElement | null} */ ($("#got"));
  field?.focus();
  field?.select();
}

export function preview() {
  sendAllQuantities();
  send("/preview");
}

/** F9: what still stands before it comes first; then it is sent once, however often it is pressed. */
export function settle() {
  if (state.sending || !hasLines()) return;
  if (waiting.size > 0 || $("#split")?.dataset.needsPreview) return preview();
  if ($("#go [data-decide]")) return openDialog("decide-dialog");
  if ($("#go [data-buyer-needed]")) return openDialog("buyer-dialog");
  const open = $("#basket [data-open-note]");
  if (open) return ask(open);
  const back = tender.change();
  if (back === undefined || back < 0) return toMoney();
  sending(true);
  const split = $("#split")?.dataset ?? {};
  send("/settlement", { tenders: JSON.stringify(tender.tenders()), due: split.dueFen ?? "0", expected: split.expected ?? "" });
}

/** A reminder waits for its answer. @param {HTMLElement} note */
export function ask(note) {
  play("unknown");
  note.scrollIntoView({ block: "nearest" });
  /** @type {HTMLElement | null} */ (note.querySelector("button"))?.focus();
}

/** Only a button that was closed here is opened again: a new one stands as the answer has it. @param {boolean} on */
export function sending(on) {
  state.sending = on;
  root().classList.toggle("sending", on);
  const button = /** @type {HTMLButtonElement | null} */ (document.querySelector("#go [data-primary]"));
  const word = button?.querySelector("[data-word]");
  if (!button || !word) return;
  const closed = button.dataset.word !== undefined;
  if (on && !closed) {
    button.disabled = true;
    [button.dataset.word, word.textContent] = [word.textContent ?? "", button.dataset.sending ?? ""];
  } else if (!on && closed) {
    button.disabled = false;
    word.textContent = button.dataset.word ?? "";
    delete button.dataset.word;
  }
}

/** A status of 0: nothing came back, so nobody here knows; ask until somebody does. @param {number} status */
export function afterSettlement(status) {
  if (status > 0 && status < 502) sending(false);
  else askOutcome(basketId());
}

/** @param {string} basket */
export function askOutcome(basket) {
  if (!state.sending || basketId() !== basket) return sending(false);
  const lost = document.getElementById("lost-answer");
  if (lost instanceof HTMLTemplateElement) say(/** @type {Element} */ (lost.content.firstElementChild?.cloneNode(true)));
  request("GET", `/counter/sales/${basket}/outcome`, { swap: "none" });
  setTimeout(() => askOutcome(basket), ASK_AGAIN);
}


/** The counter as it was last seen; another element means another state. */
let seen = root();

/** Once after every answer: the parts are in their places, now the browser's own things follow. @param {boolean} said whether the answer says something itself */
export function follow(said) {
  const replaced = seen !== root();
  seen = root();
  if (replaced) arrived(said);
  reselect();
  settled();
  tender.show();
}

/** The counter changed its state: what belonged to the last person is gone, the entry is ready. @param {boolean} said */
function arrived(said) {
  sending(false);
  waiting.clear();
  tender.clear();
  if (!said) hush();
  if (!topDialog()) entry()?.focus();
}

export function settled() {
  const sale = $("#settled")?.dataset.sale ?? "";
  if (sale === "" || sale === state.printed) return;
  state.printed = sale;
  play("accepted");
  print(sale);
}

export function reprint() {
  const sale = root().dataset.lastSale;
  if (sale) print(sale);
}

/** Each print is counted; from the second on the slip says so. @param {string} sale */
function print(sale) {
  const token = document.querySelector("meta[name=csrf-token]")?.getAttribute("content") ?? "";
  printSlip(`${mount}/till/receipts/${sale}/prints`, { method: "POST", headers: { "X-CSRFToken": token } }).catch(() => play("refused"));
}

// The clock of an unknown outcome; each answer sets it right again.
setInterval(() => {
  const clock = $("[data-since]");
  if (!clock) return;
  const seconds = Number(clock.dataset.since) + 1;
  clock.dataset.since = String(seconds);
  clock.textContent = `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}, 1000);

// The shell would say that nothing was sent; about a settlement nobody may say that.
for (const lost of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(lost, (event) => {
    if (state.sending) event.stopImmediatePropagation();
  }, { capture: true });
}

