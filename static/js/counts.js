// The page of one person who counts. A scan opens its line; more of the same lot adds packs; another lot saves this one first.
import { hush, sayUnreachable, topDialog } from "./shell.js";
import { play } from "./sounds.js";

const form = () => /** @type {HTMLFormElement | null} */ (document.getElementById("count-form"));
const codes = () => /** @type {HTMLTextAreaElement | null} */ (document.getElementById("codes"));
const packs = () => /** @type {HTMLInputElement | null} */ (document.getElementById("packs"));

/** Resolves when the answer that is awaited stands on the page. */
let answered = Promise.resolve();
let arrived = () => {};
/** Scans wait for each other: one that comes while the page still asks about the last is not lost. */
let scans = Promise.resolve();

document.addEventListener("htmx:beforeRequest", () => {
  answered = new Promise((resolve) => (arrived = resolve));
});
document.addEventListener("htmx:afterRequest", () => arrived());

// A refusal comes with what stands now, so it is shown in its place. Any other page, as when the count was closed or the
// session ended, is gone to.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  const here = new DOMParser().parseFromString(detail.serverResponse, "text/html").querySelector(".counting");
  if (here) {
    hush();
    detail.shouldSwap = true;
  } else if (detail.xhr.status < 400) {
    detail.shouldSwap = false;
    window.location.assign(detail.xhr.responseURL);
  }
});

document.addEventListener("sunmed:scan", (event) => {
  const { kind, text, parts } = /** @type {CustomEvent<import("./codes.js").Code>} */ (event).detail;
  if (topDialog() || kind === "certificate" || kind === "citizen") return;
  event.preventDefault();
  const said = kind === "gs1" ? (parts?.["01"] ?? text).replace(/^0/, "") : text;
  scans = scans.then(() => answered).then(() => (form() ? add(kind, said) : goTo(said))).catch(sayUnreachable).then(() => answered);
}, { capture: true });

/** Look for a line. @param {string} text */
function goTo(text) {
  /** @type {HTMLInputElement} */ (document.getElementById("entry")).value = text;
  /** @type {HTMLFormElement} */ (document.getElementById("look")).requestSubmit();
}

/** What was scanned belongs to the open line, or to another. @param {string} kind @param {string} text */
async function add(kind, text) {
  const [line, list, number] = [form()?.dataset, codes(), packs()];
  if (kind === "trace" && listed().includes(text)) return tell("twice", "refused");
  const answer = await fetch(`${line?.lines}?q=${encodeURIComponent(text)}`, { credentials: "same-origin" });
  if (!answer.ok) return goTo(text);
  const { lines, known } = /** @type {{lines: number[], known: boolean}} */ (await answer.json());
  const mine = lines.includes(Number(line?.line));
  if (kind === "trace" && (mine || !known)) {
    if (list) list.value = [...listed(), text].join("\n");
    count();
    if (number) number.value = String(Math.max(Number(number.value) + 1, listed().length));
    return tell(known ? "added" : "unknown", known ? "accepted" : "refused");
  }
  if (mine && number) {
    number.value = String((number.value === "" ? 1 : Number(number.value)) + 1);
    return tell("added", "accepted");
  }
  leave(text);
}

/** Save this line, then open what was scanned. @param {string} text */
function leave(text) {
  const open = form();
  if (!open || packs()?.value === "") return goTo(text);
  /** @type {HTMLInputElement} */ (open.elements.namedItem("next")).value = text;
  open.requestSubmit();
}

function listed() {
  return (codes()?.value ?? "").split(/[\s,，;；]+/).filter(Boolean);
}

function count() {
  const shown = document.querySelector("[data-count]");
  if (shown) shown.textContent = listed().length > 0 ? String(listed().length) : "";
}

/** @param {"added" | "unknown" | "twice"} word @param {"accepted" | "refused"} sound */
function tell(word, sound) {
  const words = /** @type {HTMLTemplateElement | null} */ (document.getElementById("words"));
  const shown = document.querySelector("[data-said]");
  if (shown) shown.textContent = words?.content.querySelector(`[data-${word}]`)?.textContent ?? "";
  play(sound);
}

function begin() {
  count();
  packs()?.select();
}

begin();
document.addEventListener("htmx:afterSwap", begin);
document.addEventListener("input", (event) => event.target === codes() && count());

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || topDialog()) return;
  const found = /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll("[data-found]")]);
  const at = found.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement));
  if (event.key === "Escape" && form()) /** @type {HTMLElement | null} */ (document.querySelector("[data-leaves]"))?.click();
  else if (event.key === "ArrowDown" && found.length > 0) found[Math.min(at + 1, found.length - 1)].focus();
  else if (event.key === "ArrowUp" && at > 0) found[at - 1].focus();
  else return;
  event.preventDefault();
});
