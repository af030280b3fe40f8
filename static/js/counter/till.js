// What all parts of the counter share: what is on the page, what only the browser knows, and the one queue to the server.
import { newId } from "../ids.js";
import { hush } from "../shell.js";

/** @type {any} */
const htmx = /** @type {any} */ (window).htmx;
export const till = /** @type {HTMLElement} */ (document.getElementById("till"));
export const mount = till.dataset.mount ?? "";

/** What only the browser knows. */
export const state = {
  selected: "", // The line the keys act upon.
  movedAt: 0, // When the person last chose a line themselves.
  answerAskedAt: 0, // When the answer being shown was asked for.
  answerChooses: false, // It answers an act upon a line: the line it speaks of is chosen.
  sending: false, // A settlement is on its way.
  sent: "", // What was typed into the entry and is on its way.
  printed: "", // The sale whose receipt went to the printer.
};
export const $ = (/** @type {string} */ selector) => /** @type {HTMLElement | null} */ (document.querySelector(selector));
export const entry = () => /** @type {HTMLInputElement | null} */ (document.getElementById("entry"));
export const root = () => /** @type {HTMLElement} */ (document.getElementById("counter"));
export const rows = () => [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#basket tr.line"))];
export const hasLines = () => rows().length > 0;
/** Where the counter stands: closed and unknown come from the server, the rest is seen from the lines. */
export const standing = () => (["closed", "unknown"].includes(root().dataset.state ?? "") ? root().dataset.state : hasLines() ? "selling" : "empty");

/** The basket being filled; a new one gets its id here, so that sending it twice is one sale. */
export function basketId() {
  const counter = root();
  counter.dataset.basket ||= newId();
  return counter.dataset.basket;
}

/**
 * Send a change of the basket; changes go one after the other, in the order of the acts.
 * @param {string} path
 * @param {Record<string, string | number>} [values]
 */
export function send(path, values = {}) {
  hush();
  request("POST", `/counter/baskets/{basket}${path}`, { values, swap: "none" });
}

/**
 * Ask through the one queue. What went wrong is told by htmx's events, so the promise is not waited for.
 * @param {"GET" | "POST"} verb
 * @param {string} path
 * @param {object} options
 */
export function request(verb, path, options) {
  htmx.ajax(verb, mount + path, { source: till, ...options }).catch(() => undefined);
}

