// Suppliers: a tick for all of a page or of a whole request, and what the ticked lines come to beside the figure they should meet.
import "./new_ids.js";

/** @param {ParentNode} where @param {string} name */
const ticks = (where, name) => /** @type {HTMLInputElement[]} */ ([...where.querySelectorAll(`input[type=checkbox][name=${name}]`)]);

/** @param {number} fen */
function yuan(fen) {
  const whole = Math.trunc(Math.abs(fen) / 100);
  return `${fen < 0 ? "-" : ""}${whole.toLocaleString("en")}.${String(Math.abs(fen) % 100).padStart(2, "0")}`;
}

/** @param {HTMLElement} form */
function add(form) {
  const chosen = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input[data-fen]:checked")]);
  const total = chosen.reduce((sum, box) => sum + Number(box.dataset.fen), 0);
  write(form.querySelector("[data-sum]"), yuan(total));
  const amount = /** @type {HTMLInputElement | null} */ (form.querySelector("[data-fill]"));
  if (amount && chosen.length) amount.value = yuan(total).replaceAll(",", "");
  if (!form.dataset.target) return;
  const difference = Number(form.dataset.target) - total;
  write(form.querySelector("[data-difference]"), yuan(difference))?.classList.toggle("off", chosen.length > 0 && difference !== 0);
  form.querySelector("[data-differs]")?.toggleAttribute("hidden", difference === 0 || !chosen.length);
}

/** @param {Element | null} where @param {string} text */
function write(where, text) {
  if (where) where.textContent = text;
  return where;
}

/**
 * "All of them" says so at every line of the page; a line that is left out takes it back.
 * @param {HTMLElement} form @param {HTMLInputElement} box
 */
function reached(form, box) {
  const reach = /** @type {HTMLInputElement | null} */ (form.querySelector("[data-reach]"));
  if (box === reach && box.checked) for (const each of ticks(form, box.dataset.reach ?? "")) each.checked = true;
  else if (reach && !box.checked) reach.checked = false;
}

document.addEventListener("change", (event) => {
  const box = /** @type {HTMLInputElement} */ (event.target);
  const form = /** @type {HTMLElement | null} */ (box.closest("form"));
  if (!form) return;
  reached(form, box);
  const all = box.dataset.tickAll;
  if (all) for (const each of ticks(form, all)) each.checked = box.checked;
  else if (!box.checked) for (const one of /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll(`[data-tick-all=${box.name || "none"}]`))) one.checked = false;
  if (form.matches("[data-sums]")) add(form);
});

for (const form of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("form[data-sums]"))) add(form);
