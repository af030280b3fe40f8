// A delivery while it is unpacked: a scanned barcode goes to its line, a scanned code counts up its line, a case opens into
// its packs. Whatever changes is kept on the server with the draft's version; F9 accepts when everything before it is kept.
import "./new_ids.js";
import { ask, codesOf, day, figure, fill, hide, refuse, sheet, split, word } from "./lines.js";
import { picker, quiet } from "./picker.js";
import { all, field, put } from "./rows.js";
import { openDialog, sayHtml, sayUnreachable, topDialog } from "./shell.js";
import { play } from "./sounds.js";
import { turns } from "./turns.js";

/** @typedef {import("./codes.js").Code} Code */
/** What a code stands for. @typedef {{codes: string[], product: number | null, asks: boolean, message?: string}} Opened */
const form = /** @type {HTMLFormElement} */ (document.getElementById("delivery"));
const entry = /** @type {HTMLInputElement} */ (document.getElementById("entry"));
const caseForm = /** @type {HTMLFormElement} */ (document.getElementById("case-form"));
const caseCodes = /** @type {HTMLTextAreaElement} */ (document.getElementById("case-codes"));
const home = form.dataset.at ?? "";
const PAUSE = 600;

const then = turns((error) => error.name !== "AbortError" && sayUnreachable());

const { add, hold, setCodes, current } = sheet({
  form,
  counts: "arrived",
  wanted: (line) => Math.max(figure(line, "arrived") - figure(line, "rejected"), 0),
  changed,
});
const products = picker(entry, /** @type {HTMLElement} */ (document.getElementById("choices")), ({ product }) => then(() => go(product)));

// ---------- keeping ----------

let dirty = false;
let elsewhere = false;
/** @type {number | undefined} */
let waiting;

function changed() {
  dirty = true;
  put(form, "[data-saved]", word("typing"));
  window.clearTimeout(waiting);
  waiting = window.setTimeout(() => then(keep), PAUSE);
}

/** Keep what stands here. Another window's change is told, and nothing of it is overwritten. */
async function keep() {
  if (!dirty || elsewhere) return;
  dirty = false;
  put(form, "[data-saved]", word("saving"));
  const answer = await ask(`${home}/draft`, typed(), "text/html").catch(() => undefined);
  if (answer?.ok) return show(await answer.text());
  dirty = true;
  put(form, "[data-saved]", word("unsaved"));
  if (!answer) return sayUnreachable();
  elsewhere = answer.status === 409;
  sayHtml(await answer.text());
}

/** Everything on the page but the second inspector's password. */
function typed() {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string" && !name.startsWith("approver")) body.append(name, value);
  return body;
}

/** What stands beside the draft now, and its version. @param {string} html */
function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("check");
  const old = document.getElementById("check");
  if (!fresh || !old) return;
  old.replaceWith(document.importNode(fresh, true));
  /** @type {HTMLInputElement} */ (form.elements.namedItem("version")).value = fresh.dataset.version ?? "";
  hide("cold-part", fresh.dataset.cold === undefined);
  hide("second-part", fresh.dataset.second === undefined);
  put(form, "[data-saved]", word("kept"));
}

// Back at a page that was left alone: say at once when somebody went on elsewhere.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") then(look);
});

async function look() {
  if (dirty || elsewhere) return;
  const answer = await fetch(`${home}/check`, { credentials: "same-origin", headers: { "HX-Request": "true" } });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("check");
  const mine = /** @type {HTMLInputElement} */ (form.elements.namedItem("version")).value;
  elsewhere = Boolean(fresh) && fresh?.dataset.version !== mine;
  if (elsewhere) refuse(word("elsewhere"));
}

form.addEventListener("input", (event) => event.target !== entry && changed());
form.addEventListener("change", (event) => event.target !== entry && changed());

// ---------- lines ----------

/** @param {string} product @param {HTMLElement} [after] */
async function begin(product, after) {
  const answer = await fetch(`${home}/lines/${product}`, { credentials: "same-origin", headers: { "HX-Request": "true" } });
  const html = await answer.text();
  const line = new DOMParser().parseFromString(html, "text/html").querySelector("[data-line]");
  if (!answer.ok || !line) return void sayHtml(html);
  return add(/** @type {HTMLElement} */ (document.importNode(line, true)), after);
}

/** The line of a product: the one in hand, else one that still waits for packs, else its last. @param {string} product */
function lineOf(product) {
  const held = current();
  if (held && field(held, "product").value === product) return held;
  const mine = all().filter((line) => field(line, "product").value === product);
  return mine.find((line) => field(line, "lot").value === "" || codesOf(line).length < figure(line, "arrived")) ?? mine.at(-1);
}

/** Go to the line of a product, or begin one. @param {string} product @param {Record<string, string>} [told] what the code said of its lot */
async function go(product, told = {}) {
  const same = told.lot ? all().find((line) => field(line, "product").value === product && ["", told.lot].includes(field(line, "lot").value)) : lineOf(product);
  const line = same ?? (await begin(product));
  if (!line) return;
  hold(line);
  fill(line, told);
  field(line, "lot").focus();
  line.scrollIntoView({ block: "nearest" });
  if (told.lot) changed();
}

form.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const line = target.closest("[data-line]");
  if (target.closest("[data-another]") && line instanceof HTMLElement) then(() => another(line));
  else if (target.closest("[data-is-case]")) lastIsCase();
});

/** One more lot of the same product, at the same price. @param {HTMLElement} line */
async function another(line) {
  const fresh = await begin(field(line, "product").value, line);
  if (fresh) fill(fresh, { cost: field(line, "cost").value });
}

// Why and where rejected packs go is asked only where some were.
form.addEventListener("input", (event) => {
  const target = event.target;
  if (!(target instanceof HTMLInputElement) || target.name !== "rejected") return;
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (target.closest("[data-line]")?.querySelectorAll("[data-rejected]") ?? [])) part.hidden = !/[1-9]/.test(target.value);
});

// ---------- scans ----------

document.addEventListener("sunmed:scan", (event) => {
  const code = /** @type {CustomEvent<Code>} */ (event).detail;
  if (topDialog()) return;
  event.preventDefault();
  products.close();
  if (code.kind === "trace" || (code.kind === "unknown" && /^[0-9A-Za-z]{14,100}$/.test(code.text))) then(() => scanCode(code.text));
  else then(() => scanProduct(code).catch(quiet));
}, { capture: true });

/** @param {Code} code */
async function scanProduct(code) {
  const { "01": trade = "", 10: lot = "", 11: produced = "", 17: expires = "" } = code.parts ?? {};
  const found = await products.look(trade ? trade.replace(/^0/, "") : code.text, true);
  if (found.length !== 1) {
    entry.focus();
    return play("unknown");
  }
  products.close();
  play("accepted");
  await go(found[0].dataset.product ?? "", { lot, produced_on: day(produced), expires_on: day(expires) });
}

/** @param {string} code */
async function scanCode(code) {
  const answer = await ask(form.dataset.expandUrl ?? "", new URLSearchParams({ code }));
  const opened = /** @type {Opened} */ (await answer.json());
  if (!answer.ok) return refuse(opened.message ?? "");
  if (opened.asks) return askCase(code, opened.product ? String(opened.product) : "");
  await take(code, opened);
}

/** Put what a code stands for into its line. @param {string} scanned @param {Opened} opened */
async function take(scanned, { codes, product }) {
  const line = product ? (lineOf(String(product)) ?? (await begin(String(product)))) : current();
  if (!line) return refuse(word("none"));
  const known = new Set(all().flatMap(codesOf));
  const fresh = codes.filter((code) => !known.has(code));
  if (fresh.length === 0) return refuse(word("twice", { code: scanned }));
  if (line !== current()) hold(line);
  setCodes(line, [...codesOf(line), ...fresh]);
  put(form, "[data-expanded]", codes.length > 1 ? word("opened", { n: fresh.length }) : "");
  play("accepted");
}

// ---------- cases ----------

/** Ask for the packs of a case nobody has opened here before. @param {string} parent @param {string} product */
function askCase(parent, product) {
  const line = product ? lineOf(product) : current();
  caseForm.dataset.parent = parent;
  caseForm.dataset.product = product || (line ? field(line, "product").value : "");
  if (!caseForm.dataset.product) return refuse(word("none"));
  caseCodes.value = "";
  put(caseForm, "[data-parent]", parent);
  put(caseForm, "[data-case-of]", line?.querySelector("[data-name]")?.textContent ?? "");
  put(caseForm, "[data-case-count]", "0");
  openDialog("case-dialog");
  play("unknown");
}

/** The code that was scanned last is the one on the case. */
function lastIsCase() {
  const line = current();
  const parent = line && codesOf(line).at(-1);
  if (!line || !parent) return refuse(word("none"));
  setCodes(line, codesOf(line).slice(0, -1));
  askCase(parent, field(line, "product").value);
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "F7" || event.defaultPrevented || topDialog()) return;
  event.preventDefault();
  then(lastIsCase);
});

caseCodes.addEventListener("input", () => put(caseForm, "[data-case-count]", String(split(caseCodes.value).length)));

caseForm.addEventListener("submit", (event) => {
  event.preventDefault();
  then(learn);
});

async function learn() {
  const { parent = "", product = "" } = caseForm.dataset;
  const answer = await ask(form.dataset.casesUrl ?? "", new URLSearchParams({ parent, product, children: caseCodes.value }));
  const opened = await answer.json();
  if (!answer.ok) return refuse(opened.message);
  caseForm.closest("dialog")?.close();
  await take(parent, opened);
}

// ---------- accepting ----------

// The form goes when every scan before it has arrived in its line.
form.addEventListener("submit", (event) => {
  if (form.dataset.ready) return;
  event.preventDefault();
  event.stopPropagation(); // Not sent yet: forms.js must not take it for a form that was.
  window.clearTimeout(waiting);
  then(() => {
    form.dataset.ready = "yes";
    form.requestSubmit();
  });
});
window.addEventListener("pageshow", () => delete form.dataset.ready);

// A file goes up when what was typed is kept: the file is put beside it.
document.querySelector("#note-dialog form")?.addEventListener("submit", (event) => {
  const note = /** @type {HTMLFormElement} */ (event.target);
  if (note.dataset.ready) return;
  event.preventDefault();
  event.stopPropagation();
  then(keep);
  then(() => {
    note.dataset.ready = "yes";
    note.requestSubmit();
  });
});
