// A receipt: a line per lot; a scanned barcode adds a line, a scanned trace code counts up the line in hand.
import "./new_ids.js";
import { picker, quiet } from "./picker.js";
import { say, sayUnreachable, topDialog } from "./shell.js";
import { play } from "./sounds.js";

/** @typedef {import("./codes.js").Code} Code */
const form = /** @type {HTMLFormElement} */ (document.getElementById("receipt"));
const lines = /** @type {HTMLElement} */ (document.getElementById("lines"));
const entry = /** @type {HTMLInputElement} */ (document.getElementById("entry"));
const area = /** @type {HTMLTextAreaElement} */ (document.getElementById("codes"));
const words = /** @type {HTMLTemplateElement} */ (document.getElementById("words")).content;
const blank = /** @type {HTMLTemplateElement} */ (document.getElementById("line-template")).content;

/** The line in hand: the last one that had the focus. @type {HTMLElement | undefined} */
let current;
let leaving = false;

// ---------- lines ----------

const all = () => /** @type {HTMLElement[]} */ ([...lines.querySelectorAll("[data-line]")]);

/** @param {HTMLElement} line @param {string} name @returns {HTMLInputElement} */
const field = (line, name) => /** @type {HTMLInputElement} */ (line.querySelector(`[name=${name}]`));

/** @param {HTMLElement} line */
const codesOf = (line) => field(line, "codes").value.split(/\s+/).filter(Boolean);

/** @param {import("./picker.js").Product} product */
function add(product) {
  const line = /** @type {HTMLElement} */ (document.importNode(blank, true).querySelector("[data-line]"));
  const [name, ...rest] = product.name.split(" · ");
  field(line, "product").value = product.product;
  field(line, "product_name").value = product.name;
  put(line, "[data-name]", name);
  put(line, "[data-rest]", rest.join(" · "));
  put(line, "[data-unit]", rest.at(-1) ?? "");
  lines.append(line);
  hold(line);
  field(line, "lot").focus();
  line.scrollIntoView({ block: "nearest" });
  return line;
}

/** @param {ParentNode} place @param {string} selector @param {string} text */
function put(place, selector, text) {
  const target = place.querySelector(selector);
  if (target) target.textContent = text;
}

/** @param {HTMLElement | undefined} line */
function hold(line) {
  current = line;
  for (const one of all()) one.classList.toggle("on", one === line);
  area.value = line ? codesOf(line).join("\n") : "";
  show();
}

/** @param {HTMLElement} line */
function remove(line) {
  const next = /** @type {HTMLElement | null} */ (line.nextElementSibling ?? line.previousElementSibling);
  line.remove();
  hold(next ?? undefined);
  (next ? field(next, "lot") : entry).focus();
}

// ---------- codes ----------

/**
 * Put codes into a line. The quantity follows the codes as long as nobody typed it.
 * @param {HTMLElement} line
 * @param {string[]} codes
 */
function setCodes(line, codes) {
  field(line, "codes").value = codes.join(" ");
  const packs = field(line, "packs");
  if (packs.value === "" || packs.value === packs.dataset.followed) {
    packs.value = codes.length > 0 ? String(codes.length) : "";
    packs.dataset.followed = packs.value;
  }
  if (line === current && area.value.split(/\s+/).filter(Boolean).join(" ") !== codes.join(" ")) {
    area.value = codes.join("\n");
    area.scrollTop = area.scrollHeight;
  }
  show();
}

/** @param {string} code */
function scanCode(code) {
  if (!current) return refuse(word("none"));
  if (all().some((line) => codesOf(line).includes(code))) return refuse(word("twice", { code }));
  setCodes(current, [...codesOf(current), code]);
  play("accepted");
}

/** @param {File} file */
async function readFile(file) {
  const body = new FormData();
  body.append("file", file);
  const token = document.querySelector("meta[name=csrf-token]")?.getAttribute("content") ?? "";
  const answer = await fetch(form.dataset.codesUrl ?? "", { method: "POST", body, credentials: "same-origin", headers: { Accept: "application/json", "X-CSRFToken": token } });
  const given = await answer.json();
  if (!answer.ok) return refuse(given.message);
  if (!current) return refuse(word("none"));
  const known = new Set(all().flatMap(codesOf));
  setCodes(current, [...codesOf(current), ...given.codes.filter((/** @type {string} */ code) => !known.has(code))]);
  play("accepted");
}

/** @param {string} text */
function refuse(text) {
  const said = /** @type {Element} */ (document.importNode(/** @type {HTMLTemplateElement} */ (document.getElementById("said")).content, true).firstElementChild);
  put(said, "p", text);
  say(said);
  window.setTimeout(() => said.remove(), 5000);
}

/** @param {string} name @param {Record<string, string | number>} [facts] */
function word(name, facts = {}) {
  const text = words.querySelector(`[data-${name}]`)?.textContent ?? "";
  return Object.entries(facts).reduce((sentence, [key, value]) => sentence.replace(`{${key}}`, String(value)), text);
}

// ---------- what is shown ----------

function show() {
  const rows = all();
  for (const [index, line] of rows.entries()) {
    put(line, "[data-number]", String(index + 1));
    const button = /** @type {HTMLElement} */ (line.querySelector("[data-shows-codes]"));
    const have = codesOf(line).length;
    put(line, "[data-have]", have > 0 ? `${have}/${packsOf(line)}` : "0");
    button.classList.toggle("ok", have > 0 && have === packsOf(line));
    button.classList.toggle("warn", have > 0 && have < packsOf(line));
    button.classList.toggle("stop", have > packsOf(line));
  }
  hide("no-lines", rows.length > 0);
  hide("code-part", !current);
  hide("no-code-part", Boolean(current));
  put(form, "[data-sum]", rows.length > 0 ? word("total", { lines: rows.length, packs: sum(rows, packsOf), codes: sum(rows, (line) => codesOf(line).length) }) : "");
  if (current) showCodes(current);
}

/** @param {HTMLElement} line */
function showCodes(line) {
  const [have, packs] = [codesOf(line).length, packsOf(line)];
  put(form, "[data-of]", line.querySelector("[data-name]")?.textContent ?? "");
  put(form, "[data-count]", `${have}/${packs}`);
  const verdict = /** @type {HTMLElement} */ (form.querySelector("[data-verdict]"));
  verdict.className = have > packs ? "stop" : have === packs && have > 0 ? "ok" : "warn";
  verdict.textContent = have > packs ? word("over", { n: have - packs }) : have === 0 ? "" : have === packs ? word("complete") : word("left", { n: packs - have });
}

/** @param {HTMLElement} line */
const packsOf = (line) => (/^\d+$/.test(field(line, "packs").value) ? Number(field(line, "packs").value) : 0);

/** @param {HTMLElement[]} rows @param {(line: HTMLElement) => number} of */
const sum = (rows, of) => rows.reduce((total, line) => total + of(line), 0);

/** @param {string} id @param {boolean} hidden */
function hide(id, hidden) {
  const part = document.getElementById(id);
  if (part) part.hidden = hidden;
}

// ---------- typing ----------

const products = picker(entry, /** @type {HTMLElement} */ (document.getElementById("choices")), (product) => add(product));

lines.addEventListener("focusin", (event) => {
  const line = /** @type {HTMLElement} */ (event.target).closest("[data-line]");
  if (line instanceof HTMLElement && line !== current) hold(line);
});

lines.addEventListener("input", show);

area.addEventListener("input", () => current && setCodes(current, [...new Set(area.value.split(/[\s,，;；]+/).filter(Boolean))]));

// Enter goes to the next field, and from the last one back to the entry; it never sends a half-filled receipt.
form.addEventListener("keydown", (event) => {
  const target = event.target;
  if (event.key !== "Enter" || event.isComposing || !(target instanceof HTMLInputElement || target instanceof HTMLSelectElement) || target === entry) return;
  event.preventDefault();
  const fields = /** @type {HTMLElement[]} */ ([...(target.closest("[data-line], aside") ?? form).querySelectorAll("input:not([type=hidden], [type=file]), select")]);
  (fields[fields.indexOf(target) + 1] ?? entry).focus();
});

form.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const line = target.closest("[data-line]");
  if (line instanceof HTMLElement && target.closest("[data-removes]")) remove(line);
  else if (line instanceof HTMLElement && target.closest("[data-shows-codes]")) {
    hold(line);
    area.focus();
  } else if (target.closest("[data-leaves]")) leaving = true;
});

document.getElementById("code-file")?.addEventListener("change", (event) => {
  const input = /** @type {HTMLInputElement} */ (event.target);
  const [file] = input.files ?? [];
  if (file) readFile(file).catch(sayUnreachable);
  input.value = "";
});

// ---------- scans ----------

document.addEventListener("sunmed:scan", (event) => {
  const code = /** @type {CustomEvent<Code>} */ (event).detail;
  if (topDialog()) return;
  event.preventDefault();
  if (code.kind === "trace" || (code.kind === "unknown" && current && /^[0-9A-Za-z]{8,100}$/.test(code.text))) scanCode(code.text);
  else scanProduct(code).catch(quiet);
}, { capture: true });

/** A barcode: back to the line in hand when it is the same product, a new line otherwise. @param {Code} code */
async function scanProduct(code) {
  const { "01": trade = "", 10: lot = "", 11: produced = "", 17: expires = "" } = code.parts ?? {};
  const found = await products.look(trade ? trade.replace(/^0/, "") : code.text);
  if (found.length !== 1) {
    entry.focus();
    return play("unknown");
  }
  play("accepted");
  if (current && field(current, "product").value === found[0].dataset.product && !lot) {
    products.close();
    return field(current, "lot").focus();
  }
  products.choose(found[0]);
  if (current && code.parts) fill(current, { lot, produced_on: day(produced), expires_on: day(expires) });
}

/** @param {HTMLElement} line @param {Record<string, string>} values */
function fill(line, values) {
  for (const [name, value] of Object.entries(values)) if (value) field(line, name).value = value;
}

/** 270531 → 2027-05-31; a day of 00 is the last of its month and is left to the server's rule. @param {string} six */
function day(six) {
  if (!/^\d{6}$/.test(six)) return "";
  return six.endsWith("00") ? `20${six.slice(0, 4)}` : `20${six.slice(0, 2)}-${six.slice(2, 4)}-${six.slice(4)}`;
}

// ---------- coming and going ----------

form.addEventListener("submit", () => (leaving = true));
window.addEventListener("pageshow", () => (leaving = false));
window.addEventListener("beforeunload", (event) => {
  if (!leaving && all().length > 0) event.preventDefault();
});

const asked = new URLSearchParams(window.location.search).get("q");
if (asked) products.look(asked).then((found) => found[0]?.dataset.code === asked && products.choose(found[0])).catch(quiet);

const wrong = /** @type {HTMLElement | null} */ (lines.querySelector(".bad"));
hold(wrong ?? all()[0]);
if (wrong) field(wrong, "lot").focus();
