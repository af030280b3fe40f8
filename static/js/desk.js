// The doctor's desk: what is written goes to the server by itself and stays there; pickers, answers and the signature by keyboard.
import { picker, quiet } from "./picker.js";
import { hush, openDialog, sayHtml, sayUnreachable, topDialog } from "./shell.js";

const desk = /** @type {HTMLElement} */ (document.getElementById("desk"));
const paper = /** @type {HTMLFormElement | null} */ (document.getElementById("paper"));
const mount = desk.dataset.mount ?? "";
const writing = desk.dataset.state === "IN_VISIT";
const address = `${mount}/visits/${desk.dataset.visit ?? ""}`;

/** @template {HTMLElement} T @param {string} id @returns {T} */
const byId = (id) => /** @type {T} */ (document.getElementById(id));

// ---------- to the server, one request after the other ----------

/** @type {Promise<unknown>} */
let line = Promise.resolve();
let dirty = false;
let lost = false; // Another window is ahead: nothing is sent by itself any more.
/** @type {number | undefined} */
let waiting;

/**
 * @param {string} what
 * @param {Record<string, string>} [more]
 * @param {(answer: Response, html: string) => void} [then]
 */
function send(what, more = {}, then = () => undefined) {
  window.clearTimeout(waiting);
  line = line.then(() => post(what, more, then)).catch(sayUnreachable);
  return line;
}

/** @param {string} what @param {Record<string, string>} more @param {(answer: Response, html: string) => void} then */
async function post(what, more, then) {
  const body = new URLSearchParams();
  if (paper) for (const [name, value] of new FormData(paper)) if (typeof value === "string") body.append(name, value);
  for (const [name, value] of Object.entries(more)) body.set(name, value);
  const token = document.querySelector("meta[name=csrf-token]")?.getAttribute("content") ?? "";
  dirty = false;
  const answer = await fetch(`${address}/${what}`, { method: "POST", body, credentials: "same-origin", headers: { "HX-Request": "true", "X-CSRFToken": token } });
  const html = await answer.text();
  if (!answer.ok) {
    dirty = true;
    lost = answer.status === 409;
    return sayHtml(html);
  }
  hush();
  then(answer, html);
}

/** @param {string} html @returns {HTMLElement | null} */
const read = (html) => new DOMParser().parseFromString(html, "text/html").querySelector("#drafted");

/** What was reckoned is shown in its place; what is being typed stays. @param {Response} _answer @param {string} html */
function refresh(_answer, html) {
  const fresh = read(html);
  if (!fresh) return;
  for (const one of fresh.querySelectorAll("[data-live]")) {
    const old = document.getElementById(one.id);
    if (old && old !== document.activeElement && !old.contains(document.activeElement)) old.replaceWith(document.importNode(one, true));
  }
  heads(fresh);
}

/** The sheets anew, after something was added, taken off or answered. @param {Response} _answer @param {string} html */
function redraw(_answer, html) {
  const fresh = read(html);
  if (!fresh) return;
  byId("drafted").replaceWith(document.importNode(fresh, true));
  heads(fresh);
}

/** @param {HTMLElement} fresh */
function heads(fresh) {
  const { version = "0", sum = "", open = "0", openWord = "" } = fresh.dataset;
  /** @type {HTMLInputElement} */ (paper?.elements.namedItem("version")).value = version;
  byId("sum").textContent = sum;
  const said = document.createElement("span");
  said.className = "warn nw";
  said.textContent = openWord;
  byId("open-notes").replaceChildren(...(open === "0" ? [] : [said]));
  byId("kept").textContent = /** @type {HTMLTemplateElement} */ (byId("kept-word")).content.textContent;
}

const keep = () => send("draft", {}, refresh);

paper?.addEventListener("submit", (event) => event.preventDefault());
paper?.addEventListener("input", (event) => {
  const field = /** @type {HTMLElement} */ (event.target);
  if (field.matches("[data-reckons]")) reckon(field);
  dirty = true;
  window.clearTimeout(waiting);
  if (!lost) waiting = window.setTimeout(keep, 700);
});
window.addEventListener("pagehide", () => dirty && !lost && keep());

/** Days or dose changed: the quantity is reckoned anew. @param {HTMLElement} field */
function reckon(field) {
  const quantity = /** @type {HTMLInputElement | null | undefined} */ (field.closest("[data-line]")?.querySelector("[name=line_quantity]"));
  if (quantity) quantity.value = "";
}

// ---------- pickers ----------

/** @type {Record<string, string>} Where each kind is looked up. */
const FINDS = { dx: `${mount.replace(/\/desk$/, "")}/terms/diagnoses`, WESTERN: `${mount}/drugs`, HERB: `${mount}/herbs`, TREATMENT: `${mount}/services`, TEST: `${mount}/services` };
let picking = "";
const field = /** @type {HTMLInputElement | null} */ (document.getElementById("pick"));
if (field) picker(field, byId("pick-choices"), ({ product }) => take(product));

/** @param {string} kind */
function pick(kind) {
  if (!writing || !field) return;
  picking = kind;
  const title = byId("pick-title");
  title.textContent = title.dataset[kind.toLowerCase()] ?? "";
  field.dataset.find = FINDS[kind] ?? "";
  field.value = "";
  openDialog("pick-dialog");
  field.focus();
}

/** @param {string} product */
function take(product) {
  /** @type {HTMLDialogElement} */ (byId("pick-dialog")).close();
  /** @type {Record<string, string>} */
  const more = picking === "dx" ? { add_dx: product } : { add: product, add_kind: picking };
  const kind = picking;
  send("draft", more, (answer, html) => {
    redraw(answer, html);
    const fields = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(`[data-sheet="${kind}"] [data-first]`));
    if (kind === "dx") /** @type {HTMLElement | null} */ (document.querySelector("[data-pick=dx]"))?.focus();
    else fields[fields.length - 1]?.focus();
  }).catch(quiet);
}

// ---------- reminders ----------

let answering = "";

/** @param {HTMLElement} button */
function answer(button) {
  const note = button.closest("[data-note]");
  answering = note instanceof HTMLElement ? note.dataset.note ?? "" : "";
  if (button.dataset.answer === "2") {
    byId("reason-said").textContent = note?.querySelector("[data-said]")?.textContent ?? "";
    openDialog("reason-dialog");
  } else if (button.dataset.answer === "3") tell({ answer: "kept" });
  else change(button);
}

/** Write the days that are enough, or go to the line. @param {HTMLElement} button */
function change(button) {
  const row = document.querySelector(`[data-line="${button.dataset.at}"]`);
  const days = /** @type {HTMLInputElement | null | undefined} */ (row?.querySelector("[name=line_days]"));
  if (button.dataset.days && days) {
    days.value = button.dataset.days;
    reckon(days);
    send("draft", {}, redraw);
  } else /** @type {HTMLElement | null | undefined} */ (row?.querySelector("[data-first]"))?.focus();
}

/** The draft goes first, so that the server speaks of what is on the page. @param {Record<string, string>} said */
function tell(said) {
  const more = { key: answering, ...said };
  send("draft", {}, refresh);
  send("answers", more, (got, html) => {
    /** @type {HTMLDialogElement} */ (byId("reason-dialog")).close();
    redraw(got, html);
  });
}

// ---------- acts and keys ----------

/** @type {Record<string, () => void>} */
const acts = {
  keep: () => void keep(),
  sign: () => void send("signature", {}, (got) => window.location.assign(got.headers.get("HX-Redirect") ?? address)),
  asked: () => void send("allergies-asked", {}, () => window.location.reload()),
  reason: () => tell({ answer: "reasoned", reason: /** @type {HTMLSelectElement} */ (byId("reason")).value, note: /** @type {HTMLInputElement} */ (byId("reason-note")).value }),
  next: () => /** @type {HTMLFormElement} */ (byId("next")).requestSubmit(),
};

document.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("button");
  if (!button) return;
  const { act, pick: kind, drop, dropDx } = button.dataset;
  if (act) acts[act]?.();
  else if (kind) pick(kind);
  else if (button.dataset.answer) answer(button);
  else if (button.dataset.days) change(button);
  else if (drop) send("draft", { drop }, redraw);
  else if (dropDx) send("draft", { drop_dx: dropDx }, redraw);
});

/** @type {Record<string, () => void>} */
const KEYS = {
  KeyN: () => (dirty && writing ? keep() : line).then(acts.next),
  KeyD: () => pick("dx"), KeyA: () => pick("WESTERN"), KeyH: () => pick("HERB"), KeyT: () => pick("TREATMENT"), KeyE: () => pick("TEST"),
  KeyG: () => document.querySelector("[data-act=asked]") && (dirty ? keep() : line).then(acts.asked),
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || topDialog() || event.ctrlKey || event.metaKey) return;
  const number = /^(?:Digit|Numpad)([1-3])$/.exec(event.code)?.[1];
  const reply = event.altKey && number ? document.querySelector(`[data-note] [data-answer="${number}"]`) : null;
  const does = event.altKey ? KEYS[event.code] : event.key === "F4" && writing ? acts.keep : undefined;
  if (!does && !reply) return;
  event.preventDefault();
  if (event.repeat) return;
  if (reply instanceof HTMLElement) reply.click();
  else does?.();
});
