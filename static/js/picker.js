// A field that looks products up while a person types: arrows choose, Enter takes. Also asked by scans.

/** @typedef {{product: string, code: string, name: string, trace: boolean}} Product */

/**
 * Let a field look products up.
 * @param {HTMLInputElement} field its data-find is the address that answers with the list
 * @param {HTMLElement} place where the list stands
 * @param {(product: Product) => unknown} take
 * @param {string} [also] what else the question says, as it stands in an address
 */
export function picker(field, place, take, also = "") {
  /** @type {AbortController | undefined} */
  let asking;
  /** @type {number | undefined} */
  let waiting;

  const options = () => [.../** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll("[role=option]"))];
  const close = () => {
    window.clearTimeout(waiting);
    asking?.abort();
    place.replaceChildren();
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };

  /**
   * Ask for the products that fit a text and show them. What is typed meanwhile overtakes a typed question, never a scan's.
   * @param {string} text @param {boolean} [scanned] @returns {Promise<HTMLElement[]>}
   */
  async function look(text, scanned = false) {
    window.clearTimeout(waiting);
    asking?.abort();
    asking = scanned ? undefined : new AbortController();
    const answer = await fetch(`${field.dataset.find}?q=${encodeURIComponent(text)}${also && `&${also}`}`, { credentials: "same-origin", headers: { "HX-Request": "true" }, signal: asking?.signal });
    if (!answer.ok) throw new Error(`look ${answer.status}`);
    const read = new DOMParser().parseFromString(await answer.text(), "text/html");
    place.replaceChildren(...[...read.body.children].map((child) => document.importNode(child, true)));
    const found = options();
    field.setAttribute("aria-expanded", String(found.length > 0));
    point(found[0]);
    return found;
  }

  /** @param {HTMLElement | undefined} option */
  function point(option) {
    for (const one of options()) one.setAttribute("aria-selected", String(one === option));
    if (option) field.setAttribute("aria-activedescendant", option.id);
    option?.scrollIntoView({ block: "nearest" });
  }

  /** @param {HTMLElement} option */
  function choose(option) {
    const { product = "", code = "", name = "", trace = "" } = option.dataset;
    field.value = "";
    close();
    return take({ product, code, name, trace: trace !== "" });
  }

  /** @param {number} by */
  function step(by) {
    const all = options();
    const at = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
    point(all[(at + by + all.length) % all.length]);
  }

  async function enter() {
    const text = field.value.trim();
    const shown = /** @type {HTMLElement | null} */ (place.querySelector("[data-q]"))?.dataset.q === text;
    const chosen = options().find((one) => one.getAttribute("aria-selected") === "true");
    if (shown && chosen) return choose(chosen);
    const found = await look(text);
    if (found.length === 1) choose(found[0]);
  }

  field.addEventListener("input", () => {
    window.clearTimeout(waiting);
    if (field.value.trim() === "") return close();
    waiting = window.setTimeout(() => look(field.value.trim()).catch(quiet), 120);
  });

  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") step(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Escape" && place.childElementCount > 0) close();
    else if (event.key === "Enter") enter().catch(quiet);
    else return;
    event.preventDefault();
  });

  place.addEventListener("mousedown", (event) => event.preventDefault());
  place.addEventListener("click", (event) => {
    const option = /** @type {HTMLElement} */ (event.target).closest("[role=option]");
    if (option instanceof HTMLElement) choose(option);
  });
  field.addEventListener("blur", () => window.setTimeout(() => document.activeElement !== field && close(), 150));

  return { look, choose, close };
}

/** A question that was overtaken by the next one is no failure. @param {Error} error */
export function quiet(error) {
  if (error.name !== "AbortError") console.warn(error.message);
}
