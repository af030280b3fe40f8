// A paper prescription: a line per drug, found by typing or by scanning the box.
import "./new_ids.js";
import { picker } from "./picker.js";
import { all, field, lineFor, list, scans } from "./rows.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("prescription"));
const lines = /** @type {HTMLElement} */ (document.getElementById("lines"));
const entry = /** @type {HTMLInputElement} */ (document.getElementById("entry"));

/** A drug that is there already is gone to, not written twice. @param {import("./picker.js").Product} product */
function add(product) {
  const known = all().find((line) => field(line, "product").value === product.product);
  if (known) return field(known, "packs").focus();
  const line = lineFor(product);
  lines.append(line);
  show();
  field(line, "packs").focus();
}

const show = list(form, entry);
const products = picker(entry, /** @type {HTMLElement} */ (document.getElementById("choices")), add);

scans(products, entry, ({ kind, text }) => {
  if (kind === "citizen") field(form, "patient_certno").value = text;
  else if (kind === "prescription") field(form, "number").value = text;
  return kind === "citizen" || kind === "prescription";
});
