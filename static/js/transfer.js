// A transfer, a move, an arrival: every scan goes to the server, which keeps it and answers with the lines.
import "./new_ids.js";
import { picker, quiet } from "./picker.js";
import { hush, sayHtml, sayUnreachable, topDialog } from "./shell.js";
import { play } from "./sounds.js";
import { turns } from "./turns.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("transfer"));
const entry = /** @type {HTMLInputElement} */ (document.getElementById("entry"));
const choices = document.getElementById("choices");
const products = choices ? picker(entry, choices, ({ product }) => void ask("entries", { text: product })) : undefined;

const then = turns(sayUnreachable, form);

/** Where this draft is kept: its own address. */
function address() {
  const id = /** @type {HTMLInputElement | null} */ (form.querySelector("[name=document]"))?.value ?? "";
  return form.dataset.at || `${form.dataset.drafts}${id}`;
}

/**
 * Send what is typed and one more thing; show the lines as they are kept now.
 * @param {string} what @param {Record<string, string>} [more]
 */
function ask(what, more = {}) {
  return then(() => send(what, more));
}

/** @param {string} what @param {Record<string, string>} more */
async function send(what, more) {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") body.append(name, value);
  for (const [name, value] of Object.entries(more)) body.set(name, value);
  const token = document.querySelector("meta[name=csrf-token]")?.getAttribute("content") ?? "";
  const answer = await fetch(`${address()}/${what}`, { method: "POST", body, credentials: "same-origin", headers: { "HX-Request": "true", "X-CSRFToken": token } });
  const html = await answer.text();
  if (!answer.ok) return sayHtml(html);
  const [fresh] = new DOMParser().parseFromString(html, "text/html").body.children;
  if (fresh?.matches(".choice-list")) return offer(more.text ?? "");
  hush();
  show(fresh);
  if (more.text) play("accepted");
}

/** A text that fits several lots: the person chooses. @param {string} text */
function offer(text) {
  entry.focus();
  entry.value = text;
  play("unknown");
  return products?.look(text).catch(quiet);
}

/** @param {Element | undefined} fresh */
function show(fresh) {
  const old = document.getElementById("drafted");
  if (!fresh || !old) return;
  const held = document.activeElement instanceof HTMLElement && old.contains(document.activeElement) ? document.activeElement.getAttribute("name") : null;
  const place = held ? [...old.querySelectorAll(`[name="${held}"]`)].indexOf(/** @type {Element} */ (document.activeElement)) : -1;
  old.replaceWith(document.importNode(fresh, true));
  const next = held ? document.querySelectorAll(`#drafted [name="${held}"]`)[place] : undefined;
  if (next instanceof HTMLElement) next.focus();
  sum();
  if (!form.dataset.at && form.dataset.drafts) settle();
}

/** From now on the draft has an address: after a crash it is found there, and in the list. */
function settle() {
  form.dataset.at = address();
  window.history.replaceState(null, "", form.dataset.at);
  const drop = /** @type {HTMLButtonElement | null} */ (form.querySelector("[data-drops]"));
  if (!drop) return;
  drop.hidden = false;
  drop.formAction = `${form.dataset.at}/drops`;
}

function sum() {
  const place = form.querySelector("[data-sum]:not(#drafted)");
  if (place) place.textContent = document.getElementById("drafted")?.dataset.sum ?? "";
}

// ---------- typing ----------

form.addEventListener("change", (event) => {
  if (event.target === entry) return;
  ask(form.dataset.drafts ? "content" : "entries");
});

form.addEventListener("keydown", (event) => {
  const target = event.target;
  if (event.key !== "Enter" || event.isComposing || !(target instanceof HTMLInputElement || target instanceof HTMLSelectElement) || event.defaultPrevented) return;
  event.preventDefault();
  if (target === entry && !products) take(entry.value.trim());
  else if (target !== entry) entry.focus();
});

/** @param {string} text */
function take(text) {
  if (text === "") return;
  entry.value = "";
  ask("entries", { text });
}

form.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const removes = target.closest("[data-removes]");
  if (removes instanceof HTMLElement) ask("removals", { removed: removes.dataset.removes ?? "" });
  else if (target.closest("[data-fills]")) fill();
  else if (target.closest("[data-drops]")) for (const field of form.querySelectorAll("[required]")) field.removeAttribute("required");
});

/** What came without codes is there in full. */
function fill() {
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("input[data-most]"))) field.value = field.dataset.most ?? "0";
  ask("entries");
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "F8" || event.defaultPrevented || topDialog() || !form.querySelector("[data-fills]")) return;
  event.preventDefault();
  fill();
});

// ---------- scans ----------

document.addEventListener("sunmed:scan", (event) => {
  const { kind, text, parts } = /** @type {CustomEvent<import("./codes.js").Code>} */ (event).detail;
  if (topDialog() || kind === "certificate" || kind === "citizen") return;
  event.preventDefault();
  products?.close();
  ask("entries", { text: kind === "gs1" ? (parts?.["01"] ?? text).replace(/^0/, "") : text });
}, { capture: true });

sum();
