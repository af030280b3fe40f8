// A stock paper: lines are lots in zones, found by typing or by scanning packs; a scanned pack adds its code to its line.
import { picker, quiet } from "./picker.js";
import "./new_ids.js";
import { topDialog } from "./shell.js";
import { play } from "./sounds.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("paper"));
const lines = /** @type {HTMLElement} */ (document.getElementById("lines"));
const entry = /** @type {HTMLInputElement} */ (document.getElementById("entry"));

const all = () => /** @type {HTMLElement[]} */ ([...lines.querySelectorAll("[data-line]")]);

/** @param {HTMLElement} line @param {string} name @returns {HTMLInputElement} */
const field = (line, name) => /** @type {HTMLInputElement} */ (line.querySelector(`[name=${name}]`));

/** What was chosen: a lot in a zone, perhaps by the code of one pack. @param {import("./picker.js").Product} chosen */
async function add(chosen) {
  const known = all().find((line) => line.dataset.place === chosen.product);
  const address = `${entry.dataset.line}?place=${encodeURIComponent(chosen.product)}&code=${encodeURIComponent(chosen.code)}`;
  if (known && !chosen.code) return field(known, "packs").focus();
  const answer = await fetch(address, { credentials: "same-origin", headers: { "HX-Request": "true" } });
  if (!answer.ok) return play("refused");
  const read = new DOMParser().parseFromString(await answer.text(), "text/html");
  const line = /** @type {HTMLElement} */ (document.importNode(/** @type {Element} */ (read.querySelector("[data-line]")), true));
  if (known) join(known, line);
  else lines.append(line);
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

function show() {
  for (const [index, line] of all().entries()) {
    const number = line.querySelector("[data-number]");
    if (number) number.textContent = String(index + 1);
  }
  const none = document.getElementById("no-lines");
  if (none) none.hidden = all().length > 0;
}

// The list depends on the act: which zones goods may leave.
const places = picker(entry, /** @type {HTMLElement} */ (document.getElementById("choices")), (chosen) => void add(chosen).catch(quiet), `act=${entry.dataset.act}`);

form.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("[data-removes]");
  if (!button) return;
  button.closest("[data-line]")?.remove();
  show();
  entry.focus();
});

// Enter goes to the next field; from the last one of a line back to the entry.
form.addEventListener("keydown", (event) => {
  const target = event.target;
  if (event.key !== "Enter" || event.isComposing || !(target instanceof HTMLInputElement) || target === entry) return;
  event.preventDefault();
  const fields = /** @type {HTMLElement[]} */ ([...(target.closest("[data-line], aside") ?? form).querySelectorAll("input:not([type=hidden]), select")]);
  (fields[fields.indexOf(target) + 1] ?? entry).focus();
});

document.addEventListener("sunmed:scan", (event) => {
  const code = /** @type {CustomEvent<import("./codes.js").Code>} */ (event).detail;
  if (topDialog() || code.kind === "certificate" || code.kind === "citizen") return;
  event.preventDefault();
  scanned(code).catch(quiet);
}, { capture: true });

/** @param {import("./codes.js").Code} code */
async function scanned(code) {
  const trade = code.parts?.["01"];
  const found = await places.look(trade ? trade.replace(/^0/, "") : code.text);
  if (found.length === 1) return places.choose(found[0]);
  entry.focus();
  play("unknown");
}

show();
