// Lists of keeping: arrows walk, P confirms, R goes to the note, D writes a doubt; a scan looks up what was scanned.
import { whenAlone } from "./scanner.js";
import "./new_ids.js";
import { topDialog, typing } from "./shell.js";
import { play } from "./sounds.js";

const links = /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll("[data-rows] a.nm")]);
const chosen = links.findIndex((link) => link.closest("tr[aria-selected=true]"));

if (window.matchMedia("(min-width: 1101px)").matches) links[chosen]?.closest("tr")?.scrollIntoView({ block: "nearest" });

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.repeat || topDialog() || typing(event.target) || event.ctrlKey || event.altKey || event.metaKey) return;
  const target = wanted(event.key);
  if (!target) return;
  event.preventDefault();
  // A letter inside a scanned code does nothing.
  whenAlone(event, () => (target instanceof HTMLInputElement ? target.focus() : target.click()));
});

/** @param {string} key @returns {HTMLElement | null | undefined} */
function wanted(key) {
  if (key === "ArrowDown") return links[Math.min(chosen + 1, links.length - 1)];
  if (key === "ArrowUp") return chosen > 0 ? links[chosen - 1] : null;
  if (key.toLowerCase() === "p") return /** @type {HTMLElement | null} */ (document.querySelector("#review [data-passes]"));
  if (key.toLowerCase() === "r") return /** @type {HTMLElement | null} */ (document.querySelector("#review [name=note]"));
  return null;
}

document.addEventListener("change", (event) => {
  const field = /** @type {HTMLElement} */ (event.target);
  if (field instanceof HTMLSelectElement && field.matches("[data-submits]")) field.form?.requestSubmit();
});

document.addEventListener("sunmed:scan", (event) => {
  const { kind, text, parts } = /** @type {CustomEvent<import("./codes.js").Code>} */ (event).detail;
  const filter = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-filter]"));
  if (topDialog() || kind === "certificate" || kind === "citizen" || !filter) return;
  event.preventDefault();
  play("accepted");
  filter.value = kind === "gs1" ? (parts?.["01"] ?? text).replace(/^0/, "") : text;
  filter.form?.requestSubmit();
}, { capture: true });
