// A paper prescription: a line per drug, found by typing or by scanning the box.
import "./new_ids.js";
import { picker, quiet } from "./picker.js";
import { topDialog } from "./shell.js";
import { play } from "./sounds.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("prescription"));
const lines = /** @type {HTMLElement} */ (document.getElementById("lines"));
const entry = /** @type {HTMLInputElement} */ (document.getElementById("entry"));
const blank = /** @type {HTMLTemplateElement} */ (document.getElementById("line-template")).content;

const all = () => /** @type {HTMLElement[]} */ ([...lines.querySelectorAll("[data-line]")]);

/** @param {HTMLElement} line @param {string} name @returns {HTMLInputElement} */
const field = (line, name) => /** @type {HTMLInputElement} */ (line.querySelector(`[name=${name}]`));

/** A drug that is there already is gone to, not written twice. @param {import("./picker.js").Product} product */
function add(product) {
  const known = all().find((line) => field(line, "product").value === product.product);
  if (known) return field(known, "packs").focus();
  const line = /** @type {HTMLElement} */ (document.importNode(blank, true).querySelector("[data-line]"));
  const [name, ...rest] = product.name.split(" · ");
  field(line, "product").value = product.product;
  field(line, "product_name").value = product.name;
  put(line, "[data-name]", name);
  put(line, "[data-rest]", rest.join(" · "));
  put(line, "[data-unit]", rest.at(-1) ?? "");
  lines.append(line);
  show();
  field(line, "packs").focus();
}

/** @param {ParentNode} place @param {string} selector @param {string} text */
function put(place, selector, text) {
  const target = place.querySelector(selector);
  if (target) target.textContent = text;
}

function show() {
  for (const [index, line] of all().entries()) put(line, "[data-number]", String(index + 1));
  const none = document.getElementById("no-lines");
  if (none) none.hidden = all().length > 0;
}

const products = picker(entry, /** @type {HTMLElement} */ (document.getElementById("choices")), add);

form.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("[data-removes]");
  if (!button) return;
  button.closest("[data-line]")?.remove();
  show();
  entry.focus();
});

// Enter goes to the next field; from the last one of a drug back to the entry.
form.addEventListener("keydown", (event) => {
  const target = event.target;
  if (event.key !== "Enter" || event.isComposing || !(target instanceof HTMLInputElement) || target === entry) return;
  event.preventDefault();
  const fields = /** @type {HTMLElement[]} */ ([...(target.closest("[data-line], aside") ?? form).querySelectorAll("input:not([type=hidden])")]);
  (fields[fields.indexOf(target) + 1] ?? entry).focus();
});

document.addEventListener("sunmed:scan", (event) => {
  const code = /** @type {CustomEvent<import("./codes.js").Code>} */ (event).detail;
  if (topDialog()) return;
  event.preventDefault();
  if (code.kind === "citizen") field(form, "patient_certno").value = code.text;
  else if (code.kind === "prescription") field(form, "number").value = code.text;
  else scanProduct(code).catch(quiet);
}, { capture: true });

/** @param {import("./codes.js").Code} code */
async function scanProduct(code) {
  const trade = code.parts?.["01"];
  const found = await products.look(trade ? trade.replace(/^0/, "") : code.text);
  if (found.length === 1) products.choose(found[0]);
  else entry.focus();
  play(found.length === 1 ? "accepted" : "unknown");
}

show();
