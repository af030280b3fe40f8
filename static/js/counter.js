// The counter in the browser: keys, scans, one queue of questions to the server, and nothing that could sell twice.
// The basket lives on the server; this page only shows it. Parts arrive out of band and are put in their places.
import "./new_ids.js";
import { openDialog, topDialog, typing } from "./shell.js";
import { play } from "./sounds.js";
import * as tender from "./tender.js";
import { afterEntry, closeChoices, moveChoice, options, take } from "./counter/entry.js";
import { hold, openBuyer, openDiscount, openLine, openPerson, openPrescriptions } from "./counter/layers.js";
import { moveLine, reselect, select, setQuantity, stepQuantity, typeQuantity } from "./counter/lines.js";
import { afterSettlement, follow, preview, reprint, settle } from "./counter/pay.js";
import { $, basketId, entry, hasLines, mount, send, standing, state, till } from "./counter/till.js";

// ---------- answers ----------

till.addEventListener("htmx:configRequest", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  if (detail.path.endsWith("/counter/products") && entry()?.value.trim() === "") {
    event.preventDefault();
    closeChoices();
  }
  if (!detail.path.includes("{basket}")) return;
  detail.path = detail.path.replace("{basket}", basketId());
  if (detail.verb === "post") detail.parameters.version = $("#basket")?.dataset.version ?? "0";
});

till.addEventListener("htmx:beforeRequest", (event) => {
  /** @type {CustomEvent} */ (event).detail.xhr.askedAt = performance.now();
});

// An answer about an older basket than the one on the screen comes too late and is not shown.
till.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  state.answerAskedAt = detail.xhr.askedAt ?? 0;
  state.answerChooses = detail.requestConfig.verb === "post" && /\/(?:entries|prescription|resumption)$|\/lines\//.test(detail.requestConfig.path);
  const answered = /id="basket"[^>]*data-version="(\d+)"/.exec(detail.serverResponse ?? "");
  if (!answered || /id="counter"/.test(detail.serverResponse)) return;
  if (Number(answered[1]) < Number($("#basket")?.dataset.version ?? 0)) detail.shouldSwap = false;
});

till.addEventListener("htmx:afterRequest", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  const { path, parameters } = detail.requestConfig;
  const done = detail.xhr.status >= 200 && detail.xhr.status < 400; // The shell shows refusals itself, so htmx calls them no errors.
  if (done && detail.xhr.status !== 204) follow(/id="notice"/.test(detail.xhr.responseText ?? ""));
  if (path.endsWith("/entries")) afterEntry(done, parameters, detail.xhr.responseText ?? "");
  if (path.endsWith("/settlement")) afterSettlement(detail.xhr.status);
  if (done && detail.elt.closest("[data-closes]")) detail.elt.closest("dialog")?.close();
  if (done && path.includes("/counter/baskets/")) others?.postMessage("changed");
});

// ---------- acts ----------

/** @type {Record<string, () => void>} */
const acts = {
  identify: () => openPerson("self"),
  decide: () => openDialog("decide-dialog"),
  line: openLine,
  hold,
  refund: () => window.location.assign(`${mount}/counter/refunds/new?receipt=`),
  preview,
  settle,
  reprint,
  prescription: () => openPrescriptions(""),
  others: () => openDialog("tender-dialog"),
  discount: openDiscount,
  buyer: openBuyer,
};

till.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const act = /** @type {HTMLElement | null} */ (target.closest("[data-act]"))?.dataset.act;
  const step = /** @type {HTMLElement | null} */ (target.closest("[data-step]"))?.dataset.step;
  const buyer = /** @type {HTMLElement | null} */ (target.closest("[data-buyer]"))?.dataset.buyer;
  const product = /** @type {HTMLElement | null} */ (target.closest("#choices [role=option]"))?.dataset.product;
  const line = /** @type {HTMLElement | null} */ (target.closest("#basket tr.line"))?.dataset.line;
  if (line) select(line, true);
  if (act) acts[act]?.();
  else if (step) stepQuantity(Number(step));
  else if (buyer) openPerson(buyer);
  else if (product) take(product, "picked");
  if (step || product) entry()?.focus();
});

// ---------- keys ----------

/** @type {Record<string, string>} */
const KEYS = { F2: "identify", F3: "line", F4: "hold", F6: "refund", F8: "preview" };
/** @type {Record<string, string>} */
const ALT_KEYS = { KeyR: "prescription", KeyP: "reprint", KeyM: "others", KeyZ: "discount", KeyS: "buyer" };

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || topDialog()) return;
  if (event.altKey ? altKey(event) : plainKey(event)) event.preventDefault();
});

/** @param {KeyboardEvent} event @returns {boolean} whether the key was taken */
function altKey(event) {
  const answer = /^(?:Digit|Numpad)([1-3])$/.exec(event.code)?.[1];
  if (answer) {
    const note = $(".line.on + .note [data-open-note]") ?? $("#basket [data-open-note]");
    /** @type {HTMLElement | null | undefined} */ (note?.querySelector(`[data-answer="${answer}"]`))?.click();
    return true;
  }
  if (!(event.code in ALT_KEYS) || event.repeat) return false;
  act(ALT_KEYS[event.code]);
  return true;
}

/** @param {KeyboardEvent} event @returns {boolean} */
function plainKey(event) {
  if (event.ctrlKey || event.metaKey) return false;
  if (event.key in KEYS) {
    if (!event.repeat) act(KEYS[event.key]);
    return true;
  }
  if (event.target === entry()) return entryKey(event);
  if (/** @type {HTMLElement} */ (event.target).matches("[data-quantity]")) return quantityKey(event);
  if (/** @type {HTMLElement} */ (event.target).id === "got") return moneyKey(event);
  if (typing(event.target)) return false;
  if (lineKey(event)) return true;
  if (event.key.length === 1 && !"/? ".includes(event.key)) entry()?.focus(); // The character then falls into the entry.
  return false;
}

/** Only what the state allows. @param {string} name */
function act(name) {
  const allowed = standing() === "unknown" ? ["hold"] : standing() === "closed" ? [] : Object.keys(acts);
  if (!state.sending && allowed.includes(name)) acts[name]();
  else play("refused");
}

/** @param {KeyboardEvent} event @returns {boolean} */
function entryKey(event) {
  const listed = options().length > 0;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const step = event.key === "ArrowDown" ? 1 : -1;
    if (listed) moveChoice(step);
    else moveLine(step);
    return true;
  }
  if (event.key === "Escape" && listed) {
    closeChoices();
    return true;
  }
  return entry()?.value === "" && lineKey(event);
}

/** Keys on the chosen line, when nothing is being typed. @param {KeyboardEvent} event @returns {boolean} */
function lineKey(event) {
  if (!state.selected || standing() !== "selling" || !hasLines()) return false;
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowDown: () => moveLine(1),
    ArrowUp: () => moveLine(-1),
    "+": () => stepQuantity(1),
    "-": () => stepQuantity(-1),
    "*": () => typeQuantity(),
    Delete: () => send(`/lines/${state.selected}`, { delete: 1 }),
  };
  if (!(event.key in keys)) return false;
  keys[event.key]();
  return true;
}

/** @param {KeyboardEvent} event @returns {boolean} */
function quantityKey(event) {
  if (event.key === "Escape") /** @type {HTMLInputElement} */ (event.target).value = $(`#line-${state.selected} .qty`)?.textContent ?? "1";
  if (!["Enter", "Escape"].includes(event.key)) return false;
  if (event.key === "Enter") setQuantity(state.selected, Number(/** @type {HTMLInputElement} */ (event.target).value));
  entry()?.focus(); // Leaving the field by another way sends it too.
  return true;
}

/** @param {KeyboardEvent} event @returns {boolean} */
function moneyKey(event) {
  if (event.key === "Enter" && !event.repeat) settle();
  if (event.key === "Escape") entry()?.focus();
  return ["Enter", "Escape"].includes(event.key);
}

// ---------- beginnings ----------

// A second tab of this till: what one changes, the other takes over when it is looked at again.
const others = "BroadcastChannel" in window ? new BroadcastChannel("sunmed.counter") : undefined;
let changedElsewhere = false;
others?.addEventListener("message", () => {
  changedElsewhere = true;
});
for (const looked of ["focus", "pageshow"]) {
  window.addEventListener(looked, (event) => {
    const returned = event.type === "pageshow" && /** @type {PageTransitionEvent} */ (event).persisted;
    if ((changedElsewhere || returned) && !state.sending && !entry()?.value) window.location.reload();
  });
}

for (const dialog of till.querySelectorAll("dialog")) dialog.addEventListener("close", () => entry()?.focus());
if (hasLines()) reselect();
tender.show();
