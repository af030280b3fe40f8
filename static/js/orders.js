// The list of orders: a scanned number opens its paper; a supplier that is chosen applies at once.
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

document.addEventListener("change", (event) => {
  const field = event.target;
  if (field instanceof HTMLSelectElement && field.closest("[data-submits-form]")) field.form?.requestSubmit();
});
