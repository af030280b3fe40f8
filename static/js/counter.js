// The counter in the browser: keys, scans, one queue of questions to the server, and nothing that could sell twice.
// The basket lives on the server; this page only shows it. Parts arrive out of band and are put in their places.
import { isPersonal } from "./codes.js";
import { newId } from "./ids.js";
import "./new_ids.js";
import { hush, openDialog, say, topDialog, typing } from "./shell.js";
import { printSlip } from "./sheet.js";
import { play } from "./sounds.js";
import * as tender from "./tender.js";

/** @type {any} */
const htmx = /** @type {any} */ (window).htmx;
const till = /** @type {HTMLElement} */ (document.getElementById("till"));
const mount = till.dataset.mount ?? "";
const QUANTITY_REST = 180; // Milliseconds of quiet before a quantity is sent: + + + is one change.
const ASK_AGAIN = 2000;

/** What only the browser knows. */
const state = {
  selected: "", // The line the keys act upon.
  movedAt: 0, // When the person last chose a line themselves.
  answerAskedAt: 0, // When the answer being shown was asked for.
  sending: false, // A settlement is on its way.
  sent: "", // What was typed into the entry and is on its way.
  printed: "", // The sale whose receipt went to the printer.
};
/** Quantities typed but not yet sent, by line. @type {Map<string, {quantity: number, timer: number}>} */
const waiting = new Map();

const $ = (/** @type {string} */ selector) => /** @type {HTMLElement | null} */ (document.querySelector(selector));
const entry = () => /** @type {HTMLInputElement | null} */ (document.getElementById("entry"));
const root = () => /** @type {HTMLElement} */ (document.getElementById("counter"));
const rows = () => [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#basket tr.line"))];
const hasLines = () => rows().length > 0;
/** Where the counter stands: closed and unknown come from the server, the rest is seen from the lines. */
const standing = () => (["closed", "unknown"].includes(root().dataset.state ?? "") ? root().dataset.state : hasLines() ? "selling" : "empty");

// ---------- asking the server ----------

/** The basket being filled; a new one gets its id here, so that sending it twice is one sale. */
function basketId() {
  const counter = root();
  counter.dataset.basket ||= newId();
  return counter.dataset.basket;
}

/**
 * Send a change of the basket; changes go one after the other, in the order of the acts.
 * @param {string} path
 * @param {Record<string, string | number>} [values]
 */
function send(path, values = {}) {
  hush();
  request("POST", `/counter/baskets/{basket}${path}`, { values, swap: "none" });
}

/**
 * Ask through the one queue. What went wrong is told by htmx's events, so the promise is not waited for.
 * @param {"GET" | "POST"} verb
 * @param {string} path
 * @param {object} options
 */
function request(verb, path, options) {
  htmx.ajax(verb, mount + path, { source: till, ...options }).catch(() => undefined);
}

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
  const answered = /id="basket"[^>]*data-version="(\d+)"/.exec(detail.serverResponse ?? "");
  if (!answered || /id="counter"/.test(detail.serverResponse)) return;
  if (Number(answered[1]) < Number($("#basket")?.dataset.version ?? 0)) detail.shouldSwap = false;
});

till.addEventListener("htmx:afterRequest", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  const { path, parameters } = detail.requestConfig;
  const done = detail.xhr.status >= 200 && detail.xhr.status < 400; // The shell shows refusals itself, so htmx calls them no errors.
  if (done && detail.xhr.status !== 204) follow();
  if (path.endsWith("/entries")) afterEntry(done, parameters, detail.xhr.responseText ?? "");
  if (path.endsWith("/settlement")) afterSettlement(detail.xhr.status);
  if (done && detail.elt.closest("[data-closes]")) detail.elt.closest("dialog")?.close();
  if (done && path.includes("/counter/baskets/")) others?.postMessage("changed");
});

// ---------- what was scanned or typed ----------

document.addEventListener("sunmed:scan", heard, { capture: true });

/** @param {Event} event */
function heard(event) {
  const code = /** @type {CustomEvent<import("./codes.js").Code>} */ (event).detail;
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

/** @param {string} text @param {string} kind */
function identify(text, kind) {
  send("/person", { text, how: kind === "certificate" ? "ecert" : "card", buyer: "self" });
}

/** @param {HTMLDialogElement} dialog @param {string} text @param {string} kind */
function fillCredential(dialog, text, kind) {
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

till.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.id === "tender-form") return tender.show();
  if (form.id !== "entry-form") return;
  event.preventDefault();
  event.stopPropagation();
  enter();
});

/** Enter in the entry: take the chosen product, or send what was typed; with nothing typed, go on to the money. */
function enter() {
  const field = entry();
  if (!field || state.sending) return;
  const text = field.value.trim();
  if (text === "") return toMoney();
  const chosen = $("#choices [aria-selected=true]");
  const fits = $("#choices [data-q]")?.dataset.q === text;
  take(chosen && fits ? chosen.dataset.product ?? "" : text, chosen && fits ? "picked" : "typed");
}

/** The field is free at once for the next; a refusal brings the text back. @param {string} text @param {string} kind */
function take(text, kind) {
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
function afterEntry(done, parameters, answer) {
  const choices = done && answer.includes("data-q=");
  if (parameters.kind === "scan" && done) play(choices ? "unknown" : "accepted");
  const field = entry();
  if ((!done || choices) && parameters.kind !== "scan" && field?.value === "") {
    field.value = state.sent;
    field.select();
  }
  openChoices();
}

// ---------- the list under the entry ----------

const options = () => [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#choices [role=option]"))];

function openChoices() {
  entry()?.setAttribute("aria-expanded", String(options().length > 0));
  mark(options().find((one) => one.getAttribute("aria-selected") === "true"));
}

function closeChoices() {
  $("#choices")?.replaceChildren();
  entry()?.setAttribute("aria-expanded", "false");
  entry()?.removeAttribute("aria-activedescendant");
}

/** @param {HTMLElement | undefined} option */
function mark(option) {
  if (!option) return entry()?.removeAttribute("aria-activedescendant");
  for (const one of options()) one.setAttribute("aria-selected", String(one === option));
  entry()?.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

/** @param {number} step */
function moveChoice(step) {
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

// ---------- lines ----------

/** @param {string} line @param {boolean} [byPerson] */
function select(line, byPerson = false) {
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
function moveLine(step) {
  const all = rows();
  const now = all.findIndex((row) => row.dataset.line === state.selected);
  const next = all[Math.min(Math.max(now + step, 0), all.length - 1)];
  if (next) select(next.dataset.line ?? "", true);
}

/** After an answer: the line it speaks of is chosen, unless the person has chosen another since asking. */
function reselect() {
  if (standing() === "unknown") return;
  const said = $("#basket")?.dataset.selected ?? "";
  const keep = state.movedAt > state.answerAskedAt && rows().some((row) => row.dataset.line === state.selected);
  const last = rows().at(-1)?.dataset.line ?? "";
  select(keep ? state.selected : said || (rows().some((row) => row.dataset.line === state.selected) ? state.selected : last));
  for (const [line, { quantity }] of waiting) showQuantity(line, quantity);
}

const quantityField = (/** @type {string} */ line) => /** @type {HTMLInputElement | null} */ (document.querySelector(`#line-${line} [data-quantity]`));

/** @param {string} line @param {number} quantity */
function showQuantity(line, quantity) {
  const field = quantityField(line);
  const shown = $(`#line-${line} .qty`);
  if (field && field !== document.activeElement) field.value = String(quantity);
  if (shown) shown.textContent = String(quantity);
}

/** @param {string} line @param {number} quantity */
function setQuantity(line, quantity) {
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > 999_999) return;
  clearTimeout(waiting.get(line)?.timer);
  waiting.set(line, { quantity, timer: window.setTimeout(() => sendQuantity(line), QUANTITY_REST) });
  showQuantity(line, quantity);
}

/** @param {string} line */
function sendQuantity(line) {
  const change = waiting.get(line);
  if (!change) return;
  clearTimeout(change.timer);
  waiting.delete(line);
  send(`/lines/${line}`, { quantity: change.quantity });
}

/** @param {number} step */
function stepQuantity(step) {
  const now = waiting.get(state.selected)?.quantity ?? Number(quantityField(state.selected)?.value);
  if (state.selected) setQuantity(state.selected, now + step);
}

const sendAllQuantities = () => [...waiting.keys()].forEach(sendQuantity);

till.addEventListener("change", (event) => {
  const field = /** @type {HTMLInputElement} */ (event.target);
  const line = /** @type {HTMLElement | null} */ (field.closest("tr.line"))?.dataset.line;
  if (line && field.matches("[data-quantity]")) setQuantity(line, Number(field.value));
});

// ---------- money ----------

function toMoney() {
  if (!hasLines()) return;
  if ($("#split")?.dataset.needsPreview) return preview();
  const field = /** @type {HTMLInputElement | null} */ ($("#got"));
  field?.focus();
  field?.select();
}

function preview() {
  sendAllQuantities();
  send("/preview");
}

/** F9: what still stands before it comes first; then it is sent once, however often it is pressed. */
function settle() {
  if (state.sending || !hasLines()) return;
  if (waiting.size > 0 || $("#split")?.dataset.needsPreview) return preview();
  const open = $("#basket [data-open-note]");
  if (open) return ask(open);
  const back = tender.change();
  if (back === undefined || back < 0) return toMoney();
  sending(true);
  const split = $("#split")?.dataset ?? {};
  send("/settlement", { tenders: JSON.stringify(tender.tenders()), due: split.dueFen ?? "0", expected: split.expected ?? "" });
}

/** A reminder waits for its answer. @param {HTMLElement} note */
function ask(note) {
  play("unknown");
  note.scrollIntoView({ block: "nearest" });
  /** @type {HTMLElement | null} */ (note.querySelector("button"))?.focus();
}

/** @param {boolean} on */
function sending(on) {
  state.sending = on;
  root().classList.toggle("sending", on);
  const button = /** @type {HTMLButtonElement | null} */ (document.querySelector("#go [data-primary]"));
  const word = button?.querySelector("[data-word]");
  if (!button || !word) return;
  button.disabled = on;
  if (on) [button.dataset.word, word.textContent] = [word.textContent ?? "", button.dataset.sending ?? ""];
  else word.textContent = button.dataset.word ?? word.textContent;
}

/** A status of 0: nothing came back, so nobody here knows; ask until somebody does. @param {number} status */
function afterSettlement(status) {
  if (status > 0 && status < 502) sending(false);
  else askOutcome(basketId());
}

/** @param {string} basket */
function askOutcome(basket) {
  if (!state.sending || basketId() !== basket) return sending(false);
  const lost = document.getElementById("lost-answer");
  if (lost instanceof HTMLTemplateElement) say(/** @type {Element} */ (lost.content.firstElementChild?.cloneNode(true)));
  request("GET", `/counter/sales/${basket}/outcome`, { swap: "none" });
  setTimeout(() => askOutcome(basket), ASK_AGAIN);
}

// The shell would say that nothing was sent; about a settlement nobody may say that.
for (const lost of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(lost, (event) => {
    if (state.sending) event.stopImmediatePropagation();
  }, { capture: true });
}

// ---------- parts arriving ----------

/** The counter as it was last seen; another element means another state. */
let seen = root();

/** Once after every answer: the parts are in their places, now the browser's own things follow. */
function follow() {
  const replaced = seen !== root();
  seen = root();
  if (replaced) arrived();
  reselect();
  settled();
  tender.show();
}

/** The counter changed its state: what belonged to the last person is gone, the entry is ready. */
function arrived() {
  sending(false);
  waiting.clear();
  tender.clear();
  hush();
  if (!topDialog()) entry()?.focus();
}

function settled() {
  const sale = $("#settled")?.dataset.sale ?? "";
  if (sale === "" || sale === state.printed) return;
  state.printed = sale;
  play("accepted");
  printSlip(`${mount}/till/receipts/${sale}`).catch(() => play("refused"));
}

function reprint() {
  const sale = root().dataset.lastSale;
  const token = document.querySelector("meta[name=csrf-token]")?.getAttribute("content") ?? "";
  if (sale) printSlip(`${mount}/till/receipts/${sale}/prints`, { method: "POST", headers: { "X-CSRFToken": token } }).catch(() => play("refused"));
}

// The clock of an unknown outcome; each answer sets it right again.
setInterval(() => {
  const clock = $("[data-since]");
  if (!clock) return;
  const seconds = Number(clock.dataset.since) + 1;
  clock.dataset.since = String(seconds);
  clock.textContent = `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}, 1000);

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
};

/** @param {string} buyer */
function openPerson(buyer) {
  const form = /** @type {HTMLFormElement} */ ($("#person-dialog form"));
  form.reset();
  /** @type {RadioNodeList} */ (form.elements.namedItem("buyer")).value = buyer;
  openDialog("person-dialog");
}

function openLine() {
  if (!state.selected) return;
  $("#line-part")?.replaceChildren();
  openDialog("line-dialog");
  request("GET", `/counter/baskets/{basket}/lines/${state.selected}`, { target: "#line-part", swap: "innerHTML" });
}

/** @param {string} number */
function openPrescriptions(number) {
  $("#prescription-part")?.replaceChildren();
  openDialog("prescription-dialog");
  request("GET", "/counter/prescriptions", { target: "#prescription-part", swap: "innerHTML", values: { basket: basketId(), number } });
}

function hold() {
  if (hasLines()) {
    sendAllQuantities();
    send("/hold");
  } else $("[data-held]")?.focus();
}

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
const ALT_KEYS = { KeyR: "prescription", KeyP: "reprint", KeyM: "others" };

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
    "*": () => quantityField(state.selected)?.select(),
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
  entry()?.focus(); // Leaving the field sends it.
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
