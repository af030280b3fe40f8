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

// Whoever is on the desk is seen in the queue, without moving the page.
const chosen = /** @type {HTMLElement | null} */ (desk.querySelector(".queue a[aria-current]"));
const queue = chosen?.closest("ul");
if (chosen && queue) queue.scrollTop += chosen.getBoundingClientRect().top - queue.getBoundingClientRect().top - (queue.clientHeight - chosen.offsetHeight) / 2;

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
  const kept = answer.headers.get("Draft-Version"); // A refused signature kept what is written.
  if (kept) version().value = kept;
  else if (!answer.ok) dirty = true;
  if (!answer.ok) {
    lost = answer.status === 409 && !kept && ["draft", "signature"].includes(what);
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
  place(fresh, "[data-live]");
  heads(fresh);
}

/** @param {HTMLElement} fresh @param {string} which */
function place(fresh, which) {
  for (const one of fresh.ownerDocument.querySelectorAll(which)) {
    const old = document.getElementById(one.id);
    if (old && old !== document.activeElement && !old.contains(document.activeElement)) old.replaceWith(document.importNode(one, true));
  }
}

/** The sheets anew, after something was added, taken off or answered. @param {Response} _answer @param {string} html */
function redraw(_answer, html) {
  const fresh = read(html);
  if (!fresh) return;
  const at = placeOf(document.activeElement);
  byId("drafted").replaceWith(document.importNode(fresh, true));
  place(fresh, "#supply");
  heads(fresh);
  if (at && document.activeElement === document.body) stand(at);
}

/** Where somebody is among what is redrawn: at a line or at what is said of it. @param {Element | null} where @returns {{ line: string, name: string } | undefined} */
function placeOf(where) {
  if (!where?.closest("#drafted")) return;
  const row = /** @type {HTMLElement | null} */ (where.closest("[data-line]"));
  const said = /^notes-(\d+)-(\d+)$/.exec(where.closest("[id^=notes-]")?.id ?? "");
  return { line: row?.dataset.line ?? (said ? `${said[1]}.${said[2]}` : ""), name: where.getAttribute("name") ?? "" };
}

/** The same field of the line that stands there now, of the last one, or what adds one. @param {{ line: string, name: string }} at */
function stand(at) {
  const row = at.line ? document.querySelector(`[data-line="${at.line}"]`) ?? [...document.querySelectorAll("#drafted [data-line]")].at(-1) : null;
  const there = /** @type {HTMLElement | null} */ ((at.name && row?.querySelector(`[name=${at.name}]`)) || row?.querySelector("[data-first]") || document.querySelector("#drafted [data-pick]"));
  there?.focus();
}

/** @param {HTMLElement} fresh */
function heads(fresh) {
  const { version: now = "0", sum = "", open = "0", openWord = "" } = fresh.dataset;
  version().value = now;
  look(fresh.dataset.asked ?? "");
  byId("sum").textContent = sum;
  const said = document.createElement("span");
  said.className = "warn nw";
  said.textContent = openWord;
  byId("open-notes").replaceChildren(...(open === "0" ? [] : [said]));
  byId("kept").textContent = /** @type {HTMLTemplateElement} */ (byId("kept-word")).content.textContent;
}

// ---------- the center's look at it, beside the writing and never before it ----------

const CENTER_MS = 8000; // The server keeps the site's own limit; this is for a line that broke.
const center = document.getElementById("center");
let asked = "";
let turn = 0;
/** @type {number | undefined} */
let later;

/** A while after the last change, when a line or a diagnosis changed. @param {string} question */
function look(question) {
  if (!center || question === asked) return;
  asked = question;
  byId("estimate").classList.add("stale");
  window.clearTimeout(later);
  later = window.setTimeout(ask, 400);
}

async function ask() {
  const mine = ++turn;
  say("busy");
  let state = "partial";
  try {
    const token = document.querySelector("meta[name=csrf-token]")?.getAttribute("content") ?? "";
    const answer = await fetch(`${address}/checks`, { method: "POST", credentials: "same-origin", headers: { "HX-Request": "true", "X-CSRFToken": token }, signal: AbortSignal.timeout(CENTER_MS) });
    const fresh = answer.ok ? read(await answer.text()) : null;
    if (mine !== turn) return;
    state = fresh?.dataset.checked ?? "partial";
    if (fresh && fresh.dataset.asked === asked) place(fresh, "[data-live][id^=notes-], #estimate");
    if (fresh && fresh.dataset.version === version().value) heads(fresh);
  } catch {
    if (mine !== turn) return;
  }
  say(state);
}

/** @param {string} state */
function say(state) {
  if (!center) return;
  const estimate = byId("estimate");
  if (state === "partial" && estimate.classList.contains("stale")) estimate.textContent = ` · ${estimate.dataset.away ?? ""}`;
  estimate.classList.toggle("stale", state === "busy");
  center.textContent = center.dataset[state] ?? "";
  center.className = `nw ${{ full: "ok", partial: "warn" }[state] ?? "sub"}`;
}

const version = () => /** @type {HTMLInputElement} */ (paper?.elements.namedItem("version"));

const keep = () => send("draft", {}, refresh);

/** What is written goes first. Says whether all of it is kept: nobody leaves a page that still holds something. */
const whole = () => (dirty && writing ? keep() : line).then(() => !(dirty && writing));

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

// What is typed takes the place of the figure that stands there.
paper?.addEventListener("focusin", (event) => {
  if (event.target instanceof HTMLInputElement && event.target.matches("[data-line] [inputmode]")) event.target.select();
});

// ---------- pickers ----------

/** @type {Record<string, string>} Where each kind is looked up. */
const FINDS = { dx: `${mount.replace(/\/desk$/, "")}/terms/diagnoses`, WESTERN: `${mount}/drugs`, HERB: `${mount}/herbs`, INFUSION: `${mount}/drugs`, FORMULA: `${address}/formulas`, TREATMENT: `${mount}/services`, TEST: `${mount}/services` };
let picking = "";
const field = /** @type {HTMLInputElement | null} */ (document.getElementById("pick"));
const finder = field && picker(field, byId("pick-choices"), ({ product }) => take(product));

/** @param {string} kind */
function pick(kind) {
  if (!writing || !field) return;
  picking = kind;
  const title = byId("pick-title");
  title.textContent = title.dataset[kind.toLowerCase()] ?? "";
  field.dataset.find = FINDS[kind] ?? "";
  field.value = "";
  byId("pick-more").hidden = kind !== "FORMULA";
  openDialog("pick-dialog");
  field.focus();
  finder?.look("").catch(quiet); // What is used often stands there before anything is typed.
}

/** The dialog stays until the line stands there, so that nothing typed meanwhile is lost. @param {string} product */
function take(product) {
  if (!picking) return;
  /** @type {Record<string, string>} */
  const more = picking === "dx" ? { add_dx: product } : picking === "FORMULA" ? { formula: product } : { add: product, add_kind: picking };
  const kind = picking;
  picking = "";
  send("draft", more, (answer, html) => {
    if (answer.headers.has("HX-Refresh")) return window.location.reload(); // A template filled the record.
    redraw(answer, html);
    /** @type {HTMLDialogElement} */ (byId("pick-dialog")).close();
    const fields = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(kind === "FORMULA" ? ".sheet:last-of-type [data-first]" : `[data-sheet="${kind}"] [data-first]`));
    if (kind === "dx") /** @type {HTMLElement | null} */ (document.querySelector("[data-pick=dx]"))?.focus();
    else fields[fields.length - 1]?.focus();
  }).then(() => {
    if (/** @type {HTMLDialogElement} */ (byId("pick-dialog")).open) picking = kind; // It was refused: another may be chosen.
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
    asked = "";
    /** @type {HTMLDialogElement} */ (byId("reason-dialog")).close();
    redraw(got, html);
  });
}

// ---------- acts and keys ----------

let saving = "";

/** @type {Record<string, () => void>} */
const acts = {
  keep: () => void keep(),
  sign: () => void send("signature", {}, (got) => window.location.assign(got.headers.get("HX-Redirect") ?? address)),
  asked: () => void whole().then((all) => all && send("allergies-asked", {}, () => window.location.reload())),
  reason: () => tell({ answer: "reasoned", reason: /** @type {HTMLSelectElement} */ (byId("reason")).value, note: /** @type {HTMLInputElement} */ (byId("reason-note")).value }),
  formula: () => void send("formulas", { at: saving, formula_name: /** @type {HTMLInputElement} */ (byId("formula-name")).value, scope: /** @type {HTMLSelectElement} */ (byId("formula-scope")).value }, () => /** @type {HTMLDialogElement} */ (byId("formula-dialog")).close()),
  next: () => /** @type {HTMLFormElement} */ (byId("next")).requestSubmit(),
};

document.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("button");
  if (!button) return;
  const { act, pick: kind, drop, dropDx, save } = button.dataset;
  if (act) acts[act]?.();
  else if (kind) pick(kind);
  else if (button.dataset.answer) answer(button);
  else if (button.dataset.days) change(button);
  else if (button.dataset.why) /** @type {HTMLElement | null} */ (document.querySelector(`[data-n="${button.dataset.why}"] [name=sheet_reason]`))?.focus();
  else if (save) {
    saving = save;
    const title = byId("formula-title");
    title.textContent = title.dataset[save === "record" ? "record" : "sheet"] ?? "";
    openDialog("formula-dialog");
  } else if (drop) send("draft", { drop }, redraw);
  else if (dropDx) send("draft", { drop_dx: dropDx }, redraw);
});

/** @type {Record<string, () => void>} */
const KEYS = {
  KeyN: () => void whole().then((all) => all && acts.next()),
  KeyD: () => pick("dx"), KeyA: () => pick("WESTERN"), KeyH: () => pick("HERB"), KeyI: () => pick("INFUSION"), KeyM: () => pick("FORMULA"), KeyT: () => pick("TREATMENT"), KeyE: () => pick("TEST"),
  Backspace: () => /** @type {HTMLElement | null | undefined} */ (document.activeElement?.closest("[data-line]")?.querySelector("[data-drop]"))?.click(),
  KeyR: () => void whole().then((all) => all && document.getElementById("refer")?.click()),
  KeyY: () => void whole().then((all) => all && document.getElementById("swaps")?.click()),
  KeyG: () => document.querySelector("[data-act=asked]") && acts.asked(),
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || topDialog() || event.ctrlKey || event.metaKey) return;
  const number = /^(?:Digit|Numpad)([1-3])$/.exec(event.code)?.[1];
  const first = document.querySelector("#drafted .remind .acts button")?.closest(".acts"); // What stands first is answered first.
  const reply = event.altKey && number ? first?.querySelectorAll("button")[Number(number) - 1] : null;
  const does = event.altKey ? KEYS[event.code] : event.key === "F4" && writing ? acts.keep : undefined;
  if (!does && !reply) return;
  event.preventDefault();
  if (event.repeat) return;
  if (reply instanceof HTMLElement) reply.click();
  else does?.();
});

if (center) look(document.getElementById("drafted")?.dataset.asked ?? "");
