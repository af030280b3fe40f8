// The queue of prescriptions: J and K walk, P passes, R goes to the note. Keys do nothing while a person types.
import { whenAlone } from "./scanner.js";
import { topDialog, typing } from "./shell.js";

const links = /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll("[data-rows] a.nm")]);
const chosen = links.findIndex((link) => link.closest("tr[aria-selected=true]"));

if (window.matchMedia("(min-width: 1101px)").matches) links[chosen]?.closest("tr")?.scrollIntoView({ block: "nearest" });

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.repeat || topDialog() || typing(event.target) || event.ctrlKey || event.altKey || event.metaKey) return;
  const target = wanted(event.key.toLowerCase());
  if (!target) return;
  event.preventDefault();
  // A P inside a scanned code passes nothing.
  whenAlone(event, () => (target instanceof HTMLInputElement ? target.focus() : target.click()));
});

/** @param {string} key @returns {HTMLElement | null | undefined} */
function wanted(key) {
  if (key === "j") return chosen + 1 < links.length ? links[chosen + 1] : null;
  if (key === "k") return chosen > 0 ? links[chosen - 1] : null;
  if (key === "p") return /** @type {HTMLElement | null} */ (document.querySelector("#review [data-passes]"));
  if (key === "r") return /** @type {HTMLElement | null} */ (document.querySelector("#review [name=note]"));
  return null;
}
