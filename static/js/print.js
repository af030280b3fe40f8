// A page that is itself a slip: fit the page to it, print on the button or at once.
import { fitPage } from "./sheet.js";

const slip = document.querySelector(".roll, .slip");
const size = /size-(\w+)/.exec(document.body.className)?.[1] ?? "80";
if (slip) fitPage(slip, size);

document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest("[data-print]")) window.print();
});
if (document.body.hasAttribute("data-print-now")) window.addEventListener("load", () => window.print());
