// Forms with a line per lot: the line in hand, its codes beside it, what is there and what is missing. Receipts and
// deliveries share it; how many codes a line should have is theirs to say.
import { all, field, put, walk } from "./rows.js";
import { say, sayUnreachable } from "./shell.js";
import { play } from "./sounds.js";

const words = /** @type {HTMLTemplateElement} */ (document.getElementById("words")).content;
const area = /** @type {HTMLTextAreaElement} */ (document.getElementById("codes"));

/** @param {HTMLElement} line */
export const codesOf = (line) => field(line, "codes").value.split(/\s+/).filter(Boolean);

/** @param {HTMLElement} line @param {string} name */
export const figure = (line, name) => (/^\d+$/.test(field(line, name).value) ? Number(field(line, name).value) : 0);

/** @param {string} id @param {boolean} hidden */
export function hide(id, hidden) {
  const part = document.getElementById(id);
  if (part) part.hidden = hidden;
}

/** @param {string} name @param {Record<string, string | number>} [facts] */
export function word(name, facts = {}) {
  const text = words.querySelector(`[data-${name}]`)?.textContent ?? "";
  return Object.entries(facts).reduce((sentence, [key, value]) => sentence.replace(`{${key}}`, String(value)), text);
}

/** @param {string} text */
export function refuse(text) {
  const said = /** @type {Element} */ (document.importNode(/** @type {HTMLTemplateElement} */ (document.getElementById("said")).content, true).firstElementChild);
  put(said, "p", text);
  say(said);
  window.setTimeout(() => said.remove(), 5000);
}

/** @param {string} text codes as typed */
export const split = (text) => [...new Set(text.split(/[\s,，;；]+/).filter(Boolean))];

/** @param {HTMLElement} line @param {Record<string, string>} values what a scanned GS1 code says of its lot */
export function fill(line, values) {
  for (const [name, value] of Object.entries(values)) if (value) field(line, name).value = value;
}

/** 270531 → 2027-05-31; a day of 00 is the last of its month and is left to the server's rule. @param {string} six */
export function day(six) {
  if (!/^\d{6}$/.test(six)) return "";
  return six.endsWith("00") ? `20${six.slice(0, 4)}` : `20${six.slice(0, 2)}-${six.slice(2, 4)}-${six.slice(4)}`;
}

/** Ask the server in a form's way. @param {string} address @param {BodyInit} body @param {string} accept */
export function ask(address, body, accept = "application/json") {
  const token = document.querySelector("meta[name=csrf-token]")?.getAttribute("content") ?? "";
  const part = accept === "text/html" ? { "HX-Request": "true" } : undefined;
  return fetch(address, { method: "POST", body, credentials: "same-origin", headers: { Accept: accept, "X-CSRFToken": token, ...part } });
}

/**
 * The lines of a form.
 * @param {{form: HTMLFormElement, counts: string, wanted: (line: HTMLElement) => number, changed?: () => void}} about
 *   counts: the field that follows the codes while nobody typed it; wanted: how many codes a line should have
 */
export function sheet({ form, counts, wanted, changed = () => {} }) {
  const lines = /** @type {HTMLElement} */ (document.getElementById("lines"));
  const entry = /** @type {HTMLInputElement} */ (document.getElementById("entry"));
  /** The line in hand: the last one that had the focus. @type {HTMLElement | undefined} */
  let current;

  /** @param {(line: HTMLElement) => number} of */
  const sum = (of) => all().reduce((total, line) => total + of(line), 0);

  /** @param {HTMLElement | undefined} line */
  function hold(line) {
    current = line;
    for (const one of all()) one.classList.toggle("on", one === line);
    area.value = line ? codesOf(line).join("\n") : "";
    show();
  }

  /** @param {HTMLElement} line @param {HTMLElement} [after] */
  function add(line, after) {
    if (after) after.after(line);
    else lines.append(line);
    hold(line);
    field(line, "lot").focus();
    line.scrollIntoView({ block: "nearest" });
    changed();
    return line;
  }

  /** @param {HTMLElement} line */
  function remove(line) {
    const next = /** @type {HTMLElement | null} */ (line.nextElementSibling ?? line.previousElementSibling);
    line.remove();
    hold(next ?? undefined);
    (next ? field(next, "lot") : entry).focus();
    changed();
  }

  /**
   * Put codes into a line. The quantity follows the codes as long as nobody typed it.
   * @param {HTMLElement} line
   * @param {string[]} codes
   */
  function setCodes(line, codes) {
    field(line, "codes").value = codes.join(" ");
    const quantity = field(line, counts);
    if (quantity.value === "" || quantity.value === quantity.dataset.followed) {
      quantity.value = codes.length > 0 ? String(codes.length) : "";
      quantity.dataset.followed = quantity.value;
    }
    if (line === current && split(area.value).join(" ") !== codes.join(" ")) {
      area.value = codes.join("\n");
      area.scrollTop = area.scrollHeight;
    }
    show();
    changed();
  }

  function show() {
    for (const [index, line] of all().entries()) {
      put(line, "[data-number]", String(index + 1));
      const button = /** @type {HTMLElement} */ (line.querySelector("[data-shows-codes]"));
      const [have, should] = [codesOf(line).length, wanted(line)];
      put(line, "[data-have]", have > 0 ? `${have}/${should}` : "0");
      button.classList.toggle("ok", have > 0 && have === should);
      button.classList.toggle("warn", have > 0 && have < should);
      button.classList.toggle("stop", have > should);
    }
    hide("no-lines", all().length > 0);
    hide("code-part", !current);
    hide("no-code-part", Boolean(current));
    put(form, "[data-sum]", all().length > 0 ? word("total", { lines: all().length, packs: sum(wanted), codes: sum((line) => codesOf(line).length) }) : "");
    if (current) showCodes(current);
  }

  /** @param {HTMLElement} line */
  function showCodes(line) {
    const [have, should] = [codesOf(line).length, wanted(line)];
    put(form, "[data-of]", line.querySelector("[data-name]")?.textContent ?? "");
    put(form, "[data-count]", `${have}/${should}`);
    const verdict = /** @type {HTMLElement} */ (form.querySelector("[data-verdict]"));
    verdict.className = have > should ? "stop" : have === should && have > 0 ? "ok" : "warn";
    verdict.textContent = have > should ? word("over", { n: have - should }) : have === 0 ? "" : have === should ? word("complete") : word("left", { n: should - have });
  }

  /** Codes out of an Excel or text file, into the line in hand. @param {File} file */
  async function readFile(file) {
    const body = new FormData();
    body.append("file", file);
    const answer = await ask(form.dataset.codesUrl ?? "", body);
    const given = await answer.json();
    if (!answer.ok) return refuse(given.message);
    if (!current) return refuse(word("none"));
    const known = new Set(all().flatMap(codesOf));
    setCodes(current, [...codesOf(current), ...given.codes.filter((/** @type {string} */ code) => !known.has(code))]);
    play("accepted");
  }

  lines.addEventListener("focusin", (event) => {
    const line = /** @type {HTMLElement} */ (event.target).closest("[data-line]");
    if (line instanceof HTMLElement && line !== current) hold(line);
  });
  lines.addEventListener("input", show);
  area.addEventListener("input", () => current && setCodes(current, split(area.value)));

  walk(form, entry);
  form.addEventListener("click", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const line = target.closest("[data-line]");
    if (line instanceof HTMLElement && target.closest("[data-removes]")) remove(line);
    else if (line instanceof HTMLElement && target.closest("[data-shows-codes]")) {
      hold(line);
      area.focus();
    }
  });

  document.getElementById("code-file")?.addEventListener("change", (event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const [file] = input.files ?? [];
    if (file) readFile(file).catch(sayUnreachable);
    input.value = "";
  });

  const wrong = /** @type {HTMLElement | null} */ (lines.querySelector(".bad"));
  hold(wrong ?? all()[0]);
  if (wrong) field(wrong, "lot").focus();

  return { add, hold, setCodes, current: () => current };
}
