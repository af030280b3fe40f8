// A sheet knows its own length: the roll is measured and the page set to it, so that the printer cuts where the slip ends.

const MILLIMETRE = 96 / 25.4;

const roll = document.querySelector(".roll");
if (roll && !document.body.classList.contains("size-a5")) {
  const width = document.body.classList.contains("size-58") ? 58 : 80;
  const height = Math.ceil(roll.getBoundingClientRect().height / MILLIMETRE) + 8;
  const sheet = new CSSStyleSheet(); // A constructed sheet is no inline style: the strict policy holds.
  sheet.replaceSync(`@page { size: ${width}mm ${height}mm; margin: 0 ${width === 58 ? 3 : 4}mm; }`);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}

document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest("[data-print]")) window.print();
});
if (document.body.hasAttribute("data-print-now")) window.addEventListener("load", () => window.print());
