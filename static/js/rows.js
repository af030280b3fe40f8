// Forms with a list of lines: numbered, taken away, walked through with Enter; a scanned box is looked up as if it were typed.
import { topDialog } from "./shell.js";
import { play } from "./sounds.js";
import { turns } from "./turns.js";

const lines = /** @type {HTMLElement} */ (document.getElementById("lines"));

export const all = () => /** @type {HTMLElement[]} */ ([...lines.querySelectorAll("[data-line]")]);

/** @param {HTMLElement} line @param {string} name @returns {HTMLInputElement} */
export const field = (line, name) => /** @type {HTMLInputElement} */ (line.querySelector(`[name=${name}]`));

/** @param {ParentNode} place @param {string} selector @param {string} text */
export function put(place, selector, text) {
  const target = place.querySelector(selector);
  if (target) target.textContent = text;
}

/** An empty line of this form that stands for a product. @param {import("./picker.js").Product} product */
export function lineFor(product) {
  const blank = /** @type {HTMLTemplateElement} */ (document.getElementById("line-template")).content;
  const line = /** @type {HTMLElement} */ (document.importNode(blank, true).querySelector("[data-line]"));
  const [name, ...rest] = product.name.split(" · ");
  field(line, "product").value = product.product;
  field(line, "product_name").value = product.name;
  put(line, "[data-name]", name);
  put(line, "[data-rest]", rest.join(" · "));
  put(line, "[data-unit]", rest.at(-1) ?? "");
  return line;
}

/**
 * Number the lines, take one away, walk with Enter. Returns what numbers them anew.
 * @param {HTMLFormElement} form
 * @param {HTMLInputElement} entry where the next line begins
 * @param {() => void} [shown] what else follows the lines
 */
export function list(form, entry, shown = () => {}) {
  function show() {
    for (const [index, line] of all().entries()) put(line, "[data-number]", String(index + 1));
    const none = document.getElementById("no-lines");
    if (none) none.hidden = all().length > 0;
    shown();
  }

  form.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest("[data-removes]");
    if (!button) return;
    button.closest("[data-line]")?.remove();
    show();
    entry.focus();
  });
  walk(form, entry);
  show();
  return show;
}

/** Enter goes to the next field; from the last one of a line back to the entry; it never sends a half-filled form. @param {HTMLFormElement} form @param {HTMLInputElement} entry */
export function walk(form, entry) {
  form.addEventListener("keydown", (event) => {
    const target = event.target;
    if (event.key !== "Enter" || event.isComposing || !(target instanceof HTMLInputElement || target instanceof HTMLSelectElement) || target === entry) return;
    event.preventDefault();
    const fields = /** @type {HTMLElement[]} */ ([...(target.closest("[data-line], aside") ?? form).querySelectorAll("input:not([type=hidden], [type=file]), select")]).filter((one) => one.offsetParent !== null);
    (fields[fields.indexOf(target) + 1] ?? entry).focus();
  });
}

/**
 * What is scanned while no layer stands open is looked up; the only one that fits is chosen.
 * @param {{look: (text: string, scanned: boolean) => Promise<HTMLElement[]>, choose: (option: HTMLElement) => unknown}} found
 * @param {HTMLInputElement} entry
 * @param {(code: import("./codes.js").Code) => boolean} taken whether the form knows better what to do with it
 */
export function scans(found, entry, taken) {
  const then = turns((error) => error.name !== "AbortError" && console.warn(error.message), entry.form);
  document.addEventListener("sunmed:scan", (event) => {
    const code = /** @type {CustomEvent<import("./codes.js").Code>} */ (event).detail;
    if (topDialog()) return;
    event.preventDefault();
    then(() => take(code));
  }, { capture: true });

  /** @param {import("./codes.js").Code} code */
  async function take(code) {
    if (taken(code)) return;
    const trade = code.parts?.["01"];
    const options = await found.look(trade ? trade.replace(/^0/, "") : code.text, true);
    if (options.length === 1) await found.choose(options[0]);
    else entry.focus();
    play(options.length === 1 ? "accepted" : "unknown");
  }
}
