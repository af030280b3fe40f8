// Opening stock by hand: a line per lot; a scanned barcode adds a line, a scanned trace code counts up the line in hand.
import "./new_ids.js";
import { codesOf, day, figure, fill, refuse, sheet, word } from "./lines.js";
import { picker, quiet } from "./picker.js";
import { all, field, lineFor } from "./rows.js";
import { topDialog } from "./shell.js";
import { play } from "./sounds.js";
import { turns } from "./turns.js";

/** @typedef {import("./codes.js").Code} Code */
const form = /** @type {HTMLFormElement} */ (document.getElementById("receipt"));
const entry = /** @type {HTMLInputElement} */ (document.getElementById("entry"));

const { add, setCodes, current } = sheet({ form, counts: "packs", wanted: (line) => figure(line, "packs") });
const then = turns(quiet, form);
let leaving = false;

/** @param {import("./picker.js").Product} product */
const begin = (product) => add(lineFor(product));

/** @param {string} code */
function scanCode(code) {
  const line = current();
  if (!line) return refuse(word("none"));
  if (all().some((one) => codesOf(one).includes(code))) return refuse(word("twice", { code }));
  setCodes(line, [...codesOf(line), code]);
  play("accepted");
}

const products = picker(entry, /** @type {HTMLElement} */ (document.getElementById("choices")), begin);

// ---------- scans ----------

document.addEventListener("sunmed:scan", (event) => {
  const code = /** @type {CustomEvent<Code>} */ (event).detail;
  if (topDialog()) return;
  event.preventDefault();
  then(() => (isTrace(code) ? scanCode(code.text) : scanProduct(code)));
}, { capture: true });

/** @param {Code} code */
const isTrace = ({ kind, text }) => kind === "trace" || (kind === "unknown" && current() && /^[0-9A-Za-z]{8,100}$/.test(text));

/** A barcode: back to the line in hand when it is the same product, a new line otherwise. @param {Code} code */
async function scanProduct(code) {
  const { "01": trade = "", 10: lot = "", 11: produced = "", 17: expires = "" } = code.parts ?? {};
  const found = await products.look(trade ? trade.replace(/^0/, "") : code.text, true);
  if (found.length !== 1) {
    entry.focus();
    return play("unknown");
  }
  play("accepted");
  const held = current();
  if (held && field(held, "product").value === found[0].dataset.product && !lot) {
    products.close();
    return field(held, "lot").focus();
  }
  products.choose(found[0]);
  const line = current();
  if (line && code.parts) fill(line, { lot, produced_on: day(produced), expires_on: day(expires) });
}

// ---------- coming and going ----------

form.addEventListener("click", (event) => {
  if (/** @type {HTMLElement} */ (event.target).closest("[data-leaves]")) leaving = true;
});
form.addEventListener("submit", () => (leaving = true));
window.addEventListener("pageshow", () => (leaving = false));
window.addEventListener("beforeunload", (event) => {
  if (!leaving && all().length > 0) event.preventDefault();
});

const asked = new URLSearchParams(window.location.search).get("q");
if (asked) products.look(asked).then((found) => found[0]?.dataset.code === asked && products.choose(found[0])).catch(quiet);
