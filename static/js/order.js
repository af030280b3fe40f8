// An order being written: a line per product, found by typing or scanning; sums follow what is typed.
import "./new_ids.js";
import { picker, quiet } from "./picker.js";
import { topDialog } from "./shell.js";
import { play } from "./sounds.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("order"));
const lines = /** @type {HTMLElement} */ (document.getElementById("lines"));
const entry = /** @type {HTMLInputElement} */ (document.getElementById("entry"));
const blank = /** @type {HTMLTemplateElement} */ (document.getElementById("line-template")).content;
const phrase = /** @type {HTMLTemplateElement} */ (document.getElementById("words")).content.querySelector("[data-all]")?.textContent ?? "";

const all = () => /** @type {HTMLElement[]} */ ([...lines.querySelectorAll("[data-line]")]);

/** @param {HTMLElement} line @param {string} name @returns {HTMLInputElement} */
const field = (line, name) => /** @type {HTMLInputElement} */ (line.querySelector(`[name=${name}]`));

/** @param {ParentNode} place @param {string} selector @param {string} text */
function put(place, selector, text) {
  const target = place.querySelector(selector);
  if (target) target.textContent = text;
}

/** A product that is there already is gone to, not written twice. @param {import("./picker.js").Product} product */
function add(product) {
  const known = all().find((line) => field(line, "product").value === product.product);
  if (known) return field(known, "packs").select();
  const line = /** @type {HTMLElement} */ (document.importNode(blank, true).querySelector("[data-line]"));
  const [name, ...rest] = product.name.split(" · ");
  field(line, "product").value = product.product;
  field(line, "product_name").value = product.name;
  put(line, "[data-name]", name);
  put(line, "[data-rest]", rest.slice(0, -1).join(" · "));
  put(line, "[data-unit]", rest.at(-1) ?? "");
  lines.append(line);
  show();
  field(line, "packs").focus();
  bring(line, product.product).catch(quiet);
}

/** The last price and the proposed packs, into fields that are still empty. @param {HTMLElement} line @param {string} product */
async function bring(line, product) {
  const answer = await fetch(`${form.dataset.prices}?product=${encodeURIComponent(product)}`, { credentials: "same-origin" });
  if (!answer.ok) return;
  const { price, packs } = /** @type {{price: string, packs: string}} */ (await answer.json());
  field(line, "price").value ||= price;
  if (field(line, "packs").value === "") {
    field(line, "packs").value = packs;
    if (document.activeElement === field(line, "packs")) field(line, "packs").select();
  }
  show();
}

/** What a line comes to in fen, half up as the server counts it; undefined while it cannot be read. @param {HTMLElement} line */
function fen(line) {
  const packs = /^\d{1,7}$/.exec(field(line, "packs").value.trim());
  const price = /^(\d{1,8})(?:\.(\d{0,6}))?$/.exec(field(line, "price").value.trim());
  if (!packs || !price) return undefined;
  const micro = BigInt(price[1]) * 1_000_000n + BigInt((price[2] ?? "").padEnd(6, "0"));
  return (micro * BigInt(packs[0]) + 5_000n) / 10_000n;
}

/** @param {bigint} amount */
const yuan = (amount) => `${(amount / 100n).toLocaleString("en")}.${String(amount % 100n).padStart(2, "0")}`;

function show() {
  let total = 0n;
  let packs = 0;
  for (const [index, line] of all().entries()) {
    const worth = fen(line);
    put(line, "[data-number]", String(index + 1));
    put(line, "[data-sum]", worth === undefined ? "—" : yuan(worth));
    total += worth ?? 0n;
    packs += Number(field(line, "packs").value) || 0;
  }
  const count = all().length;
  put(form, "[data-count]", String(count));
  put(form, "[data-total]", yuan(total));
  put(form, "[data-sum-all]", count ? phrase.replace("{lines}", String(count)).replace("{packs}", packs.toLocaleString("en")).replace("{yuan}", yuan(total)) : "");
  const none = document.getElementById("no-lines");
  if (none) none.hidden = count > 0;
}

const products = picker(entry, /** @type {HTMLElement} */ (document.getElementById("choices")), add);

form.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("[data-removes]");
  if (!button) return;
  button.closest("[data-line]")?.remove();
  show();
  entry.focus();
});

form.addEventListener("input", show);

// Enter goes to the next field; from the last one of a line back to the entry.
form.addEventListener("keydown", (event) => {
  const target = event.target;
  if (event.key !== "Enter" || event.isComposing || !(target instanceof HTMLInputElement) || target === entry) return;
  event.preventDefault();
  const fields = /** @type {HTMLElement[]} */ ([...(target.closest("[data-line], aside") ?? form).querySelectorAll("input:not([type=hidden])")]);
  (fields[fields.indexOf(target) + 1] ?? entry).focus();
});

document.addEventListener("sunmed:scan", (event) => {
  const code = /** @type {CustomEvent<import("./codes.js").Code>} */ (event).detail;
  if (topDialog() || code.kind === "citizen" || code.kind === "certificate") return;
  event.preventDefault();
  scan(code).catch(quiet);
}, { capture: true });

/** @param {import("./codes.js").Code} code */
async function scan(code) {
  const trade = code.parts?.["01"];
  const found = await products.look(trade ? trade.replace(/^0/, "") : code.text);
  if (found.length === 1) products.choose(found[0]);
  else entry.focus();
  play(found.length === 1 ? "accepted" : "unknown");
}

show();
// A product that was just put on the order stands last; its number is what is typed next.
if (!entry.hasAttribute("autofocus") && all().length) field(/** @type {HTMLElement} */ (all().at(-1)), "packs").select();
