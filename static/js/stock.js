// The shelf: arrows walk through the list, Escape closes the product, a scanned code opens what it is.
import { topDialog, typing } from "./shell.js";
import { play } from "./sounds.js";

const mount = document.body.dataset.mount ?? "";
const links = /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll("[data-rows] a.nm")]);
const chosen = links.findIndex((link) => link.closest("tr[aria-selected=true]"));

if (window.matchMedia("(min-width: 1101px)").matches) links[chosen]?.closest("tr")?.scrollIntoView({ block: "nearest" });

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || topDialog() || typing(event.target) || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Escape") follow(event, document.querySelector("[data-closes-side]"));
  else if (event.key === "ArrowDown") follow(event, links[Math.min(chosen + 1, links.length - 1)]);
  else if (event.key === "ArrowUp" && chosen > 0) follow(event, links[chosen - 1]);
});

/**
 * @param {KeyboardEvent} event
 * @param {Element | null | undefined} link
 */
function follow(event, link) {
  if (!(link instanceof HTMLAnchorElement)) return;
  event.preventDefault();
  link.click();
}

// What is chosen from a list applies at once.
document.addEventListener("change", (event) => {
  const field = event.target;
  if (field instanceof HTMLElement && field.matches("[data-submits]")) /** @type {HTMLSelectElement} */ (field).form?.requestSubmit();
});

// A trace code opens its life; anything else looks through the list.
document.addEventListener("sunmed:scan", (event) => {
  const { kind, text, parts } = /** @type {CustomEvent<import("./codes.js").Code>} */ (event).detail;
  const filter = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-filter]"));
  if (topDialog() || kind === "certificate" || kind === "citizen" || !filter) return;
  event.preventDefault();
  play("accepted");
  if (kind === "trace") return window.location.assign(`${mount}/stock/codes/${encodeURIComponent(text)}`);
  filter.value = kind === "gs1" ? (parts?.["01"] ?? text).replace(/^0/, "") : text;
  filter.form?.requestSubmit();
}, { capture: true });
