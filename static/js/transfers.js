// The list of transfers and one of them: a scanned number opens its paper; a loss asks for a second person.
import "./new_ids.js";
import { topDialog } from "./shell.js";
import { play } from "./sounds.js";

document.addEventListener("sunmed:scan", (event) => {
  const { text } = /** @type {CustomEvent<import("./codes.js").Code>} */ (event).detail;
  const link = /** @type {HTMLAnchorElement | null} */ (document.querySelector(`a[data-number="${CSS.escape(text.toUpperCase())}"]`));
  if (topDialog() || !link) return;
  event.preventDefault();
  play("accepted");
  link.click();
}, { capture: true });

/** @param {HTMLFormElement} form */
function fit(form) {
  const lost = /** @type {HTMLSelectElement | null} */ (form.querySelector("[data-outcome]"))?.value === "lost";
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-lost]"))) part.hidden = !lost;
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-not-lost]"))) part.hidden = lost;
}

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("[data-claim]"))) {
  form.addEventListener("change", () => fit(form));
  fit(form);
}
