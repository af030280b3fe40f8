// Entering a paper prescription: products are found as at the counter and become lines with quantity and dosage.
import "./new_ids.js";

const find = /** @type {HTMLInputElement} */ (document.getElementById("product-find"));
const found = /** @type {HTMLElement} */ (document.getElementById("found"));
const drugs = /** @type {HTMLElement} */ (document.getElementById("drugs"));

/** @param {HTMLElement} option */
function add(option) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("drug"));
  const row = /** @type {HTMLElement} */ (/** @type {Element} */ (template.content.firstElementChild).cloneNode(true));
  const name = [...option.querySelectorAll(".name, .name + .sub")].map((part) => part.textContent?.trim()).join(" ");
  /** @type {HTMLInputElement} */ (row.querySelector("[name=product]")).value = option.dataset.product ?? "";
  /** @type {HTMLInputElement} */ (row.querySelector("[name=product_name]")).value = name;
  /** @type {HTMLElement} */ (row.querySelector("span")).textContent = name;
  drugs.append(row);
  found.replaceChildren();
  find.value = "";
  const packs = /** @type {HTMLInputElement} */ (row.querySelector("[name=packs]"));
  packs.focus();
  packs.select();
}

const options = () => [.../** @type {NodeListOf<HTMLElement>} */ (found.querySelectorAll("[role=option]"))];

find.addEventListener("keydown", (event) => {
  const all = options();
  const now = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
  if (event.key === "Enter") {
    event.preventDefault();
    if (all[now]) add(all[now]);
  } else if (all.length > 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    const next = Math.min(Math.max(now + (event.key === "ArrowDown" ? 1 : -1), 0), all.length - 1);
    all.forEach((one, place) => one.setAttribute("aria-selected", String(place === next)));
  }
});

document.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const option = /** @type {HTMLElement | null} */ (target.closest("#found [role=option]"));
  if (option) add(option);
  if (target.closest("[data-remove]")) target.closest("tr")?.remove();
});
