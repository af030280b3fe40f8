// Care: arrows walk through the people who are expected, T opens the telephone, R goes to the follow-up.
import { topDialog, typing } from "./shell.js";

const links = /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll("[data-rows] a.nm")]);
const chosen = links.findIndex((link) => link.closest("tr[aria-selected=true]"));

if (window.matchMedia("(min-width: 1101px)").matches) links[chosen]?.closest("tr")?.scrollIntoView({ block: "nearest" });

/** @type {Record<string, () => void>} */
const KEYS = {
  ArrowDown: () => links[chosen + 1]?.click(),
  ArrowUp: () => links[chosen - 1]?.click(),
  t: () => /** @type {HTMLElement | null} */ (document.querySelector("[data-opens-phone]"))?.click(),
  r: () => document.getElementById("outcome")?.focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || topDialog() || typing(event.target) || event.ctrlKey || event.altKey || event.metaKey) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
