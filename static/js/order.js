// An order being written: a line per product, found by typing or scanning; sums follow what is typed.
import "./new_ids.js";
import { picker, quiet } from "./picker.js";
import { all, field, lineFor, list, put, scans } from "./rows.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("order"));
const lines = /** @type {HTMLElement} */ (document.getElementById("lines"));
const entry = /** @type {HTMLInputElement} */ (document.getElementById("entry"));
const phrase = /** @type {HTMLTemplateElement} */ (document.getElementById("words")).content.querySelector("[data-all]")?.textContent ?? "";

/** A product that is there already is gone to, not written twice. @param {import("./picker.js").Product} product */
function add(product) {
  const known = all().find((line) => field(line, "product").value === product.product);
  if (known) return field(known, "packs").select();
  const line = lineFor(product);
  put(line, "[data-rest]", product.name.split(" · ").slice(1, -1).join(" · "));
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

/** The sums follow the lines. */
function sums() {
  let total = 0n;
  let packs = 0;
  for (const line of all()) {
    const worth = fen(line);
    put(line, "[data-sum]", worth === undefined ? "—" : yuan(worth));
    total += worth ?? 0n;
    packs += Number(field(line, "packs").value) || 0;
  }
  const count = all().length;
  put(form, "[data-count]", String(count));
  put(form, "[data-total]", yuan(total));
  put(form, "[data-sum-all]", count ? phrase.replace("{lines}", String(count)).replace("{packs}", packs.toLocaleString("en")).replace("{yuan}", yuan(total)) : "");
}

const products = picker(entry, /** @type {HTMLElement} */ (document.getElementById("choices")), add);

const show = list(form, entry, sums);
form.addEventListener("input", sums);
scans(products, entry, ({ kind }) => kind === "citizen" || kind === "certificate");

// A product that was just put on the order stands last; its number is what is typed next.
if (!entry.hasAttribute("autofocus") && all().length) field(/** @type {HTMLElement} */ (all().at(-1)), "packs").select();
