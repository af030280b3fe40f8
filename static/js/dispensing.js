// Dispensing and treatments: scanned packs go to their lines wherever the focus is; J and K walk the queue, C goes to the checker, X to another product, F7 pauses, P prints labels.
import { whenAlone } from "./scanner.js";
import { openDialog, sayHtml, sayUnreachable, topDialog, typing } from "./shell.js";
import { play } from "./sounds.js";

document.querySelector(".dispensing .queue a[aria-current]")?.scrollIntoView({ block: "nearest" });

const refused = document.querySelector("dialog[data-again]");
if (refused) openDialog(refused.id); // What was typed stands there, and why it was not kept.

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("#hand[data-scans]"));

document.addEventListener("sunmed:scan", (event) => {
  const code = /** @type {CustomEvent<import("./codes.js").Code>} */ (event).detail.text;
  if (topDialog()) return;
  if (takenBack(code)) event.preventDefault();
  else if (form && document.querySelector(".foot [data-primary]")) {
    event.preventDefault();
    send(code);
  }
}, { capture: true });

/** One after the other: each answer holds all packs scanned so far. @type {Promise<void>} */
let last = Promise.resolve();

/** @param {string} code */
function send(code) {
  last = last.then(() => look(code)).catch(() => sayUnreachable());
}

/** @param {string} code */
async function look(code) {
  if (!form) return;
  const waiting = document.querySelector("[data-opens-pack]");
  const told = new FormData(form);
  told.append("scan", code);
  const answer = await fetch(form.dataset.scans ?? "", { method: "POST", body: told, credentials: "same-origin", headers: { "HX-Request": "true" } });
  const html = await answer.text();
  if (!answer.ok) {
    play("refused");
    sayHtml(html);
    if (waiting instanceof HTMLElement) waiting.focus();
    return;
  }
  play("accepted");
  put(html);
}

/** @param {string} html */
function put(html) {
  const lines = new DOMParser().parseFromString(html, "text/html").getElementById("lines");
  if (lines) document.getElementById("lines")?.replaceWith(document.importNode(lines, true));
}

/** A pack that comes back is written beside the line it went out with. @param {string} code */
function takenBack(code) {
  const row = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#return [data-given]"))].find((one) => one.dataset.given?.split(" ").includes(code));
  if (!document.getElementById("return")) return false;
  const codes = /** @type {HTMLInputElement | null} */ (row?.querySelector("[name=codes]"));
  const quantity = /** @type {HTMLInputElement | null} */ (row?.querySelector("[name=quantity]"));
  if (!codes || !quantity || codes.value.split(" ").includes(code)) {
    play("refused");
    return true;
  }
  codes.value = `${codes.value} ${code}`.trim();
  quantity.value = String(codes.value.split(" ").length);
  play("accepted");
  return true;
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-unscan]") : null;
  if (!(button instanceof HTMLElement)) return;
  const code = button.dataset.unscan;
  button.closest("div")?.remove();
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("#lines [name=code]"))) if (field.value.endsWith(`:${code}`)) field.remove();
});

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.repeat || topDialog() || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "F7") {
    event.preventDefault();
    /** @type {HTMLElement | null} */ (document.querySelector("[data-on=F7]"))?.click();
  } else if (event.key === "Enter" && event.target instanceof HTMLInputElement && event.target.form === form && form) {
    event.preventDefault(); // Nothing is handed over by Enter: the next field, or F9.
    const fields = /** @type {HTMLInputElement[]} */ ([...form.elements].filter((one) => one instanceof HTMLInputElement && one.type !== "hidden"));
    fields[fields.indexOf(event.target) + 1]?.focus();
  } else if (!typing(event.target)) {
    const target = wanted(event.key.toLowerCase());
    if (!target) return;
    event.preventDefault();
    whenAlone(event, () => (target instanceof HTMLInputElement ? target.focus() : target.click()));
  }
});

/** @param {string} key @returns {HTMLElement | null} */
function wanted(key) {
  if (key === "c") return document.querySelector(".foot [name=checker]");
  if (key === "x") return document.querySelector("[data-swap]");
  if (key === "p") return document.querySelector("[data-labels]");
  if (key !== "j" && key !== "k") return null;
  const links = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-rows] a")]);
  return links[links.findIndex((link) => link.hasAttribute("aria-current")) + (key === "j" ? 1 : -1)] ?? null;
}
