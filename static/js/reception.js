// Who comes to the reception: a card is read wherever the focus is; arrows walk from the search field into the list and back.
import { topDialog } from "./shell.js";
import { play } from "./sounds.js";

// What is scanned is a card, a citizen id or an e-certificate: it goes to the form that reads them.
document.addEventListener("sunmed:scan", (event) => {
  const form = document.querySelector("form[data-reads]");
  if (topDialog() || !(form instanceof HTMLFormElement)) return;
  event.preventDefault();
  /** @type {HTMLInputElement} */ (form.elements.namedItem("q")).value = /** @type {CustomEvent<import("./codes.js").Code>} */ (event).detail.text;
  /** @type {HTMLInputElement} */ (form.elements.namedItem("how")).value = "card";
  play("accepted");
  form.requestSubmit();
}, { capture: true });

document.addEventListener("keydown", (event) => {
  const links = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-rows] a.nm")]);
  const search = /** @type {HTMLElement | null} */ (document.querySelector("main [name=q]"));
  const here = /** @type {HTMLElement} */ (event.target);
  const at = links.indexOf(here);
  if (topDialog() || !links.length || !["ArrowDown", "ArrowUp"].includes(event.key) || (at < 0 && here !== search)) return;
  event.preventDefault();
  if (event.key === "ArrowUp" && at < 1) search?.focus();
  else links[event.key === "ArrowDown" ? Math.min(at + 1, links.length - 1) : at - 1].focus();
});
