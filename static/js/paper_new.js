// A stock paper: lines are lots in zones, found by typing or by scanning packs; a scanned pack adds its code to its line.
import { picker, quiet } from "./picker.js";
import "./new_ids.js";
import { all, field, list, scans } from "./rows.js";
import { play } from "./sounds.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("paper"));
const lines = /** @type {HTMLElement} */ (document.getElementById("lines"));
const entry = /** @type {HTMLInputElement} */ (document.getElementById("entry"));

/** What was chosen: a lot in a zone, perhaps by the code of one pack. @param {import("./picker.js").Product} chosen */
async function add(chosen) {
  const known = all().find((line) => line.dataset.place === chosen.product);
  const address = `${entry.dataset.line}?place=${encodeURIComponent(chosen.product)}&code=${encodeURIComponent(chosen.code)}&act=${entry.dataset.act}`;
  if (known && !chosen.code) return field(known, "packs").focus();
  const answer = await fetch(address, { credentials: "same-origin", headers: { "HX-Request": "true" } });
  if (!answer.ok) return play("refused");
  const read = new DOMParser().parseFromString(await answer.text(), "text/html");
  const line = /** @type {HTMLElement} */ (document.importNode(/** @type {Element} */ (read.querySelector("[data-line]")), true));
  if (known) join(known, line);
  else lines.append(line);
  const supplier = /** @type {HTMLInputElement | null} */ (document.getElementById("field-supplier"));
  if (supplier && !supplier.value) supplier.value = line.dataset.brought ?? "";
  play("accepted");
  show();
  if (!chosen.code) field(known ?? line, "packs").focus();
}

/** Another pack of a lot that is there: its code and what is in it. @param {HTMLElement} known @param {HTMLElement} more */
function join(known, more) {
  const codes = field(known, "codes").value.split(/\s+/).filter((code) => code !== "");
  const code = field(more, "codes").value;
  if (codes.includes(code)) return;
  const pack = Number(known.dataset.pack);
  const units = [known, more].reduce((sum, line) => sum + Number(field(line, "packs").value || 0) * pack + Number(field(line, "units").value || 0), 0);
  field(known, "packs").value = String(Math.floor(units / pack) || "");
  field(known, "units").value = String(units % pack || "");
  field(known, "codes").value = [...codes, code].join(" ");
}

// The list depends on the act: which zones goods may leave.
const places = picker(entry, /** @type {HTMLElement} */ (document.getElementById("choices")), (chosen) => add(chosen).catch(quiet), `act=${entry.dataset.act}`);

const show = list(form, entry);
scans(places, entry, ({ kind }) => kind === "citizen" || kind === "certificate");
