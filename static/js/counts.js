// The page of one person who counts. A scan opens its line; more of the same lot adds packs; another lot saves this one first.
import { topDialog } from "./shell.js";
import { play } from "./sounds.js";

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("count-form"));
const look = /** @type {HTMLFormElement} */ (document.getElementById("look"));
const entry = /** @type {HTMLInputElement} */ (document.getElementById("entry"));
const codes = /** @type {HTMLTextAreaElement | null} */ (document.getElementById("codes"));
const packs = /** @type {HTMLInputElement | null} */ (document.getElementById("packs"));

document.addEventListener("sunmed:scan", (event) => {
  const { kind, text, parts } = /** @type {CustomEvent<import("./codes.js").Code>} */ (event).detail;
  if (topDialog() || kind === "certificate" || kind === "citizen") return;
  event.preventDefault();
  const said = kind === "gs1" ? (parts?.["01"] ?? text).replace(/^0/, "") : text;
  if (form) add(kind, said).catch(() => goTo(said));
  else goTo(said);
}, { capture: true });

/** Look for a line. @param {string} text */
function goTo(text) {
  entry.value = text;
  look.requestSubmit();
}

/** What was scanned belongs to the open line, or to another. @param {string} kind @param {string} text */
async function add(kind, text) {
  if (kind === "trace" && listed().includes(text)) return tell("twice", "refused");
  const answer = await fetch(`${form?.dataset.lines}?q=${encodeURIComponent(text)}`, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`lines ${answer.status}`);
  const { lines, known } = /** @type {{lines: number[], known: boolean}} */ (await answer.json());
  const mine = lines.includes(Number(form?.dataset.line));
  if (kind === "trace" && (mine || !known)) {
    if (codes) codes.value = [...listed(), text].join("\n");
    count();
    if (packs) packs.value = String(Math.max(Number(packs.value) + 1, listed().length));
    return tell(known ? "added" : "unknown", known ? "accepted" : "refused");
  }
  if (mine && packs) {
    packs.value = String((packs.value === "" ? 1 : Number(packs.value)) + 1);
    return tell("added", "accepted");
  }
  leave(text);
}

/** Save this line, then open what was scanned. @param {string} text */
function leave(text) {
  if (!form || packs?.value === "") return goTo(text);
  /** @type {HTMLInputElement} */ (form.elements.namedItem("next")).value = text;
  form.requestSubmit();
}

function listed() {
  return (codes?.value ?? "").split(/[\s,，;；]+/).filter(Boolean);
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

codes?.addEventListener("input", count);
count();
packs?.select();

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || topDialog()) return;
  const found = /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll("[data-found]")]);
  const at = found.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement));
  if (event.key === "Escape" && form) /** @type {HTMLElement | null} */ (document.querySelector("[data-leaves]"))?.click();
  else if (event.key === "ArrowDown" && found.length > 0) found[Math.min(at + 1, found.length - 1)].focus();
  else if (event.key === "ArrowUp" && at > 0) found[at - 1].focus();
  else return;
  event.preventDefault();
});
