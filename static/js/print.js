// A page that is itself a slip: fit the page to it, print on the button, on F9 or at once.
import { fitPage } from "./sheet.js";

// What stands on A4 or on a label names its page in print.css.
const slip = document.querySelector(".roll, .slip:not(.a4)");
const size = /size-(\w+)/.exec(document.body.className)?.[1] ?? "80";
if (slip) fitPage(slip, size);

// A page of the shell prints and knows F9 by itself; a bare sheet does it here.
if (document.body.dataset.mount === undefined) {
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-print]")) window.print();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "F9" || event.repeat) return;
    event.preventDefault();
    window.print();
  });
}
if (document.body.hasAttribute("data-print-now")) window.addEventListener("load", () => window.print());
