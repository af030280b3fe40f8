// The code on a patient's paper is scanned: it is looked up at once, wherever the focus is.
document.addEventListener(
  "sunmed:scan",
  (event) => {
    const code = /** @type {CustomEvent<import("./codes.js").Code>} */ (event).detail;
    const field = document.querySelector("#rx-code");
    if (code.kind !== "outflow" || !(field instanceof HTMLInputElement)) return;
    event.preventDefault();
    field.value = code.text;
    field.form?.requestSubmit();
  },
  { capture: true },
);
