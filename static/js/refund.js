// The refund: quantities first, then what each payer gets back, and only then the button.
import "./new_ids.js";
import { topDialog } from "./shell.js";

/** @type {any} */
const htmx = /** @type {any} */ (window).htmx;
const form = /** @type {HTMLFormElement | null} */ (document.getElementById("refund"));
const fields = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[data-most]"));
const button = /** @type {HTMLButtonElement | null} */ (form?.querySelector("[data-primary]") ?? null);

/** Send the figures as they stand; nothing is decided by it, so what is asked for at the end may still be empty. */
function preview() {
  if (!form) return;
  form.noValidate = true;
  htmx.trigger(form, "preview");
  form.noValidate = false;
}

// What is typed takes the place of the figure that stands there.
document.addEventListener("focusin", (event) => {
  if (event.target instanceof HTMLInputElement && event.target.dataset.most) event.target.select();
});
if (document.activeElement instanceof HTMLInputElement && document.activeElement.dataset.most) document.activeElement.select();
else if (document.activeElement === document.body) fields[0]?.focus();

// A figure that changed after the preview must be previewed again.
form?.addEventListener("input", (event) => {
  const field = /** @type {HTMLInputElement} */ (event.target);
  if (field.closest("#net")) return;
  if (field.dataset.most && Number(field.value) > Number(field.dataset.most)) field.value = field.dataset.most;
  if (button) button.disabled = true;
});

form?.addEventListener("htmx:afterSwap", () => {
  if (button) button.disabled = form.querySelector("[data-ready]") === null;
});

document.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest("[data-all]")) for (const field of fields) field.value = field.dataset.most ?? "0";
  if (target.closest("[data-all], [data-preview]")) preview();
});

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || topDialog()) return;
  if (event.key === "F8" && form) {
    event.preventDefault();
    if (!event.repeat) preview();
  } else if (event.key === "Enter" && event.target instanceof HTMLInputElement && event.target.dataset.most) {
    event.preventDefault();
    preview();
  }
});

// What was refused comes back as it was typed; the look at it is taken again.
if ([...fields].some((field) => Number(field.value) > 0)) window.addEventListener("load", preview);

// A receipt scanned here opens that sale, wherever the focus is.
document.addEventListener("sunmed:scan", (event) => {
  const { kind, text } = /** @type {CustomEvent<import("./codes.js").Code>} */ (event).detail;
  const search = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-scan-opens]"));
  if (kind !== "receipt" || !search) return;
  event.preventDefault();
  search.value = text;
  search.form?.requestSubmit();
}, { capture: true });
