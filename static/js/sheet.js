// Sheets for the printer: the page is as long as the slip, and one slip can be printed without leaving the screen.

const MILLIMETRE = 96 / 25.4;
/** Sizes a till may print on, and the margin left and right, in millimetres. @type {Record<string, {width: number, margin: number}>} */
const ROLLS = { 80: { width: 80, margin: 4 }, 58: { width: 58, margin: 3 } };

/** A constructed sheet is no inline style: the strict policy holds. @type {CSSStyleSheet | undefined} */
let page;

/**
 * Set the page to the measured length of the slip, so that the printer cuts where it ends. A5 keeps its own page.
 * @param {Element} slip
 * @param {string} size
 */
export function fitPage(slip, size) {
  page ??= adopted();
  const roll = ROLLS[size];
  if (!roll) return page.replaceSync("@page { size: A5 portrait; margin: 10mm; }");
  const height = Math.ceil(slip.getBoundingClientRect().height / MILLIMETRE) + 8;
  page.replaceSync(`@page { size: ${roll.width}mm ${height}mm; margin: 0 ${roll.margin}mm; }`);
}

function adopted() {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  return sheet;
}

/** The size this till prints on; kept on this machine. @returns {string} */
export function receiptSize() {
  return localStorage.getItem("sunmed.receipt") ?? "80";
}

/**
 * Fetch a slip and hand it to the printer.
 * @param {string} address
 * @param {RequestInit} [options]
 */
export async function printSlip(address, options) {
  const size = receiptSize();
  if (size === "off") return;
  const answer = await fetch(`${address}${address.includes("?") ? "&" : "?"}size=${size}`, { credentials: "same-origin", ...options });
  if (!answer.ok) throw new Error(`slip ${answer.status}`);
  const read = new DOMParser().parseFromString(await answer.text(), "text/html");
  const slip = read.querySelector(".roll, .slip");
  if (slip) print(/** @type {Element} */ (document.importNode(slip, true)), size);
}

/**
 * @param {Element} slip
 * @param {string} size
 */
function print(slip, size) {
  const area = document.createElement("div");
  area.id = "print-area";
  area.className = `size-${size}`;
  area.setAttribute("aria-hidden", "true");
  area.append(slip);
  document.getElementById("print-area")?.remove();
  document.body.append(area);
  fitPage(slip, size);
  document.body.classList.add("printing");
  window.addEventListener("afterprint", () => document.body.classList.remove("printing"), { once: true });
  window.print();
}
