// The shell of every page: rail, search, keys, dialogs, what the server refused, and scans that no page took.
import { isPersonal } from "./codes.js";
import "./forms.js";
import "./scanner.js";
import { play, soundsOn, toggleSounds } from "./sounds.js";
import { whenWhole } from "./whole.js";

const mount = document.body.dataset.mount ?? "";

// The tab and the filter of this page are seen also where the row is longer than the screen.
for (const current of document.querySelectorAll(".tabs [aria-current], .filters .seg [aria-current]")) {
  current.scrollIntoView({ block: "nearest", inline: "nearest" });
}

// ---------- clicks ----------

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return;
  const button = target.closest("[data-fold-rail], [data-opens], [data-close], [data-toggle-sounds], [data-print], [data-language]");
  if (button) act(/** @type {HTMLElement} */ (button));
  for (const menu of document.querySelectorAll("details.drop[open]")) if (!menu.contains(target)) menu.removeAttribute("open");
});

/** @param {HTMLElement} button */
function act(button) {
  if (button.hasAttribute("data-fold-rail")) foldRail(button);
  else if (button.dataset.opens) openDialog(button.dataset.opens);
  else if (button.hasAttribute("data-toggle-sounds")) showSounds(toggleSounds());
  else if (button.hasAttribute("data-print")) window.print();
  else if (button.dataset.language) speak(button.dataset.language);
  else closeNearest(button);
}

/** @param {HTMLElement} button */
function foldRail(button) {
  const open = document.querySelector(".shell")?.classList.toggle("nav-open") ?? false;
  button.setAttribute("aria-expanded", String(open));
}

/** The language is a cookie of this machine; the server reads it. @param {string} language */
function speak(language) {
  document.cookie = `lang=${language}; path=/; max-age=31536000; samesite=lax`;
  window.location.reload();
}

/** @param {HTMLElement} button */
function closeNearest(button) {
  const said = button.closest(".notice .state");
  if (said) said.remove();
  else button.closest("dialog")?.close();
}

/** @param {string} id */
export function openDialog(id) {
  const dialog = document.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement) || dialog.open) return;
  dialog.showModal();
  /** @type {HTMLElement | null} */ (dialog.querySelector("[autofocus]"))?.focus();
}

// ---------- keys ----------

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if (event.key === "Escape") closeTop(event);
  else if (event.key === "F9") press(event);
  else if ((!typing(event.target) || looksFor(event.target)) && !event.ctrlKey && !event.altKey && !event.metaKey) shortcut(event);
});

/** An empty field to look for something in: nothing that is looked for begins with / or ?. @param {EventTarget | null} target */
function looksFor(target) {
  return target instanceof HTMLInputElement && (target.type === "search" || target.id === "entry") && target.value === "";
}

/** @param {KeyboardEvent} event */
function shortcut(event) {
  if (event.key === "/") {
    event.preventDefault();
    document.getElementById("find")?.focus();
  } else if (event.key === "?") {
    event.preventDefault();
    openDialog("keys-dialog");
  }
}

/** Arrows walk through the rows of a list, from nowhere or from its search field, where the page does nothing of its own with them; Enter opens. @param {KeyboardEvent} event */
function walk(event) {
  if (event.defaultPrevented || topDialog() || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  const from = event.target instanceof Element ? event.target : document.body;
  const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("main table.list a.nm, main .choices-of a, main .choose a")]).filter((one) => one.offsetParent !== null);
  const at = rows.indexOf(/** @type {HTMLElement} */ (from));
  if (!rows.length || (at < 0 && (event.key === "ArrowUp" || !from.matches("body, .filters input[type=search]:not([list])")))) return;
  event.preventDefault();
  rows[Math.max(0, Math.min(rows.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))].focus();
}

// What a page does with arrows goes first: it listens at the document.
window.addEventListener("keydown", walk);

const TWICE_MS = 600;
const PRESSED = "sunmed.pressed"; // When F9 was pressed last, and on which page.

/** The second half of a double press comes when the next page stands already: it was not meant for that one. */
function meant() {
  const [page, at] = (sessionStorage.getItem(PRESSED) ?? "").split(" ").map(Number);
  sessionStorage.setItem(PRESSED, `${performance.timeOrigin} ${Date.now()}`);
  return page === performance.timeOrigin || !(Date.now() - at < TWICE_MS);
}

/** F9 does what the primary button of the top layer does; never one inside a layer that is closed. @param {KeyboardEvent} event */
function press(event) {
  const layer = topDialog();
  const buttons = /** @type {HTMLButtonElement[]} */ ([...(layer ?? document).querySelectorAll("[data-primary]")]);
  const button = layer ? buttons[0] : buttons.find((one) => !one.closest("dialog"));
  if (!button) return;
  event.preventDefault();
  if (!event.repeat && meant()) whenWhole(() => !button.disabled && button.click());
}

/** Dialogs close by themselves; here go the menus, what was said, and the folded rail. @param {KeyboardEvent} event */
function closeTop(event) {
  if (topDialog()) return;
  const menu = document.querySelector("details.drop[open]");
  const said = document.querySelector("#notice > *");
  const shell = document.querySelector(".shell.nav-open");
  if (menu) menu.removeAttribute("open");
  else if (said) said.remove();
  else if (shell) shell.classList.remove("nav-open");
  else return;
  event.preventDefault();
}

/** @returns {HTMLDialogElement | undefined} */
export function topDialog() {
  return [.../** @type {NodeListOf<HTMLDialogElement>} */ (document.querySelectorAll("dialog[open]"))].at(-1);
}

/** @param {EventTarget | null} target */
export function typing(target) {
  return target instanceof Element && target.matches("input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable]");
}

// ---------- what the server says ----------

document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector("meta[name=csrf-token]")?.getAttribute("content");
  if (token) /** @type {CustomEvent} */ (event).detail.headers["X-CSRFToken"] = token;
});

// A refusal is a fragment with a sentence: it goes over the page, or into the open dialog; what was typed stays.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  if (detail.xhr.status < 400) return;
  detail.shouldSwap = false;
  detail.isError = false;
  sayHtml(detail.serverResponse);
});

for (const lost of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(lost, sayUnreachable);

/** @param {string} html a fragment of the server's, or a whole page */
export function sayHtml(html) {
  const read = new DOMParser().parseFromString(html, "text/html");
  const said = read.querySelector(".state") ?? read.querySelector(".empty.page");
  if (!said) return sayUnreachable();
  if (said.matches(".empty.page")) said.classList.replace("empty", "state");
  say(/** @type {Element} */ (document.importNode(said, true)));
}

export function sayUnreachable() {
  const template = document.getElementById("unreachable");
  if (template instanceof HTMLTemplateElement) say(/** @type {Element} */ (template.content.firstElementChild?.cloneNode(true)));
}

/** @param {Element} said */
export function say(said) {
  play("refused");
  const place = topDialog()?.querySelector(".notice") ?? document.getElementById("notice");
  place?.replaceChildren(said);
}

export function hush() {
  for (const place of document.querySelectorAll(".notice")) place.replaceChildren();
}

// ---------- scans ----------

// A page that knows better takes the event in the capture phase and calls preventDefault.
document.addEventListener("sunmed:scan", (event) => {
  if (event.defaultPrevented) return;
  const code = /** @type {CustomEvent<import("./codes.js").Code>} */ (event).detail;
  const taker = (topDialog() ?? document).querySelector("[data-takes-scans]");
  if (taker instanceof HTMLTextAreaElement) append(taker, code.text);
  else if (taker instanceof HTMLInputElement) fill(taker, code.text);
  else if (isPersonal(code) || topDialog() || !document.getElementById("find")) play("unknown"); // At the door nobody may search yet.
  else window.location.assign(`${mount}/search?q=${encodeURIComponent(code.text)}`);
});

/**
 * @param {HTMLTextAreaElement} area
 * @param {string} text
 */
function append(area, text) {
  const lines = area.value.split("\n").filter((line) => line !== "");
  play(lines.includes(text) ? "unknown" : "accepted");
  if (!lines.includes(text)) area.value = [...lines, text, ""].join("\n");
  area.scrollTop = area.scrollHeight;
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

/**
 * @param {HTMLInputElement} input
 * @param {string} text
 */
function fill(input, text) {
  input.value = text;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  input.dispatchEvent(new Event("change", { bubbles: true }));
  play("accepted");
}

// ---------- sounds ----------

/** @param {boolean} on */
function showSounds(on) {
  for (const word of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-toggle-sounds] [data-on]"))) {
    word.textContent = (on ? word.dataset.on : word.dataset.off) ?? "";
  }
  if (on) play("accepted");
}

for (const word of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-toggle-sounds] [data-on]"))) {
  word.textContent = (soundsOn() ? word.dataset.on : word.dataset.off) ?? "";
}
