// The queue by keyboard: F6 calls, F7 passes, F8 sends back to the queue whoever stands in the row of the focus, or else who was called last.
import { topDialog } from "./shell.js";

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.repeat || topDialog() || !["F6", "F7", "F8"].includes(event.key)) return;
  const here = event.target instanceof Element ? event.target.closest("#queue tr") : null;
  const button = /** @type {HTMLElement | null | undefined} */ ((here ?? document.querySelector("#queue tr[data-last]"))?.querySelector(`[data-on=${event.key}]`));
  if (!button) return;
  event.preventDefault();
  button.click();
});
