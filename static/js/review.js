// The pharmacist's review: J and K walk the queue, a key of the list marks an item, N goes to the note, F7 returns, F8 refuses (F9 passes).
import { whenAlone } from "./scanner.js";
import { topDialog, typing } from "./shell.js";

document.querySelector(".reviewing .queue a[aria-current]")?.scrollIntoView({ block: "nearest" });

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.repeat || topDialog() || event.ctrlKey || event.altKey || event.metaKey) return;
  const button = /** @type {HTMLElement | null} */ (event.key === "F7" || event.key === "F8" ? document.querySelector(`[data-on=${event.key}]`) : null);
  if (button) {
    event.preventDefault();
    button.click();
    return;
  }
  if (typing(event.target)) return;
  const target = wanted(event.key.toLowerCase());
  if (!target) return;
  event.preventDefault();
  // A J inside a scanned code goes nowhere.
  whenAlone(event, () => (target instanceof HTMLInputElement && target.type !== "checkbox" ? target.focus() : target.click()));
});

/** @param {string} key @returns {HTMLElement | null} */
function wanted(key) {
  if (key === "n") return document.querySelector(".reviewing [name=note]");
  if (key === "j" || key === "k") return beside(key === "j" ? 1 : -1);
  return /^[1-9a-e]$/.test(key) ? document.querySelector(`[data-mark="${key}"]`) : null;
}

/** The link so many further in the queue; the list is fetched anew now and then. @param {number} step @returns {HTMLElement | null} */
function beside(step) {
  const links = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-rows] a")]);
  const chosen = links.findIndex((link) => link.hasAttribute("aria-current"));
  return links[chosen + step] ?? null;
}
