// What should be bought: ticks with their number, arrows within a column, what was changed shows, a file goes at once.
import "./supply.js";

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("proposals"));
const ticks = () => /** @type {HTMLInputElement[]} */ ([...(form?.querySelectorAll("input[name=tick]") ?? [])]);

function count() {
  const place = form?.querySelector("[data-ticked]");
  const ticked = ticks().filter((box) => box.checked).length;
  if (place) place.textContent = ticked ? String(ticked) : "";
}

form?.addEventListener("change", () => window.setTimeout(count));

form?.addEventListener("input", (event) => {
  const target = /** @type {HTMLInputElement} */ (event.target);
  if (["shelf", "least", "most"].includes(target.name)) target.classList.toggle("changed", target.value !== target.defaultValue);
  if (target.name !== "packs") return;
  const box = /** @type {HTMLInputElement | null | undefined} */ (target.closest("tr")?.querySelector("input[name=tick]"));
  if (box) box.checked = target.value.trim() !== "" && target.value.trim() !== "0";
  count();
});

form?.addEventListener("click", (event) => {
  if (!/** @type {HTMLElement} */ (event.target).closest("[data-only-theirs]")) return;
  const chosen = /** @type {HTMLSelectElement | null} */ (form.querySelector("select[name=supplier]"))?.value;
  for (const box of ticks()) box.checked = box.dataset.supplier === chosen && /** @type {HTMLInputElement | null | undefined} */ (box.closest("tr")?.querySelector("input[name=packs]"))?.value !== "";
  count();
});

// Arrows go up and down a column; Enter goes down it, so that a page of limits is typed without the mouse.
form?.addEventListener("keydown", (event) => {
  const target = event.target;
  if (!(target instanceof HTMLInputElement) || event.isComposing || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
  event.preventDefault();
  const column = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll(`input[name=${target.name}]`)]);
  const next = column[column.indexOf(target) + (event.key === "ArrowUp" ? -1 : 1)];
  next?.focus();
  if (next?.type === "text") next.select();
});

document.addEventListener("change", (event) => {
  const field = event.target;
  if (field instanceof HTMLInputElement && field.type === "file") /** @type {HTMLFormElement | null} */ (field.closest("[data-sends-file]"))?.requestSubmit();
});

count();
