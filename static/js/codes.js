// What a scanned text is. Pure functions: no page, no server. The server decides again; this only chooses the door.

/** @typedef {{kind: "barcode" | "trace" | "gs1" | "certificate" | "citizen" | "receipt" | "prescription" | "outflow" | "lot" | "unknown", text: string, parts?: Record<string, string>}} Code */

const GROUP = "\u001d";
/** Application identifiers of GS1 that drug packs carry: [identifier, fixed length or 0]. @type {[string, number][]} */
const IDENTIFIERS = [["01", 14], ["11", 6], ["15", 6], ["17", 6], ["10", 0], ["21", 0], ["30", 0], ["37", 0], ["240", 0]];

/**
 * Say what kind of code a scanned text is.
 * @param {string} raw
 * @returns {Code}
 */
export function classify(raw) {
  const text = halfWidth(raw).trim();
  const parts = gs1(text);
  if (parts) return { kind: "gs1", text, parts };
  const plain = text.replaceAll(GROUP, "");
  if (/^69\d{11}$/.test(plain)) return { kind: "barcode", text: plain };
  if (/^\d{20}$/.test(plain)) return { kind: "trace", text: plain };
  if (/^\d{28}$/.test(plain)) return { kind: "certificate", text: plain };
  if (/^\d{17}[\dXx]$/.test(plain) && citizenCheck(plain)) return { kind: "citizen", text: plain.toUpperCase() };
  if (/^S\d{2}-\d{4}-\d{4,}$/i.test(plain)) return { kind: "receipt", text: plain.toUpperCase() };
  if (/^CF\d{2}-\d{4}-\d{3,}$/i.test(plain)) return { kind: "prescription", text: plain.toUpperCase() };
  if (/^SUNMED-RX:[0-9A-Z]{16}$/i.test(plain)) return { kind: "outflow", text: plain.toUpperCase() };
  if (/^LOT-[\w-]+$/i.test(plain)) return { kind: "lot", text: plain.toUpperCase() };
  return { kind: "unknown", text: plain };
}

/** Codes that are somebody's identity, or open what is told to nobody else; they never go into an address. @param {Code} code */
export function isPersonal(code) {
  return code.kind === "certificate" || code.kind === "citizen" || code.kind === "outflow";
}

/**
 * Full-width letters, digits and signs become plain ones.
 * @param {string} text
 */
export function halfWidth(text) {
  return text.replace(/[\uff01-\uff5e]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0)).replaceAll("\u3000", " ");
}

/**
 * The parts of a GS1 string, or nothing when it is none. With brackets for people, or as a scanner sends it.
 * @param {string} text
 * @returns {Record<string, string> | undefined}
 */
export function gs1(text) {
  if (/^\(\d{2,4}\)/.test(text)) return bracketed(text);
  let rest = text.replace(/^\](?:d2|C1|e0|Q3)/, "");
  const marked = rest !== text || rest.startsWith(GROUP);
  if (!marked && !/^01\d{14}./.test(rest)) return undefined;
  /** @type {Record<string, string>} */
  const parts = {};
  while ((rest = rest.replace(/^\u001d+/, "")) !== "") {
    const found = IDENTIFIERS.find(([identifier]) => rest.startsWith(identifier));
    if (!found) return undefined;
    const [identifier, fixed] = found;
    const end = fixed ? identifier.length + fixed : (rest + GROUP).indexOf(GROUP);
    const value = rest.slice(identifier.length, end);
    if (value === "" || (fixed && !new RegExp(`^\\d{${fixed}}$`).test(value))) return undefined;
    parts[identifier] = value;
    rest = rest.slice(end);
  }
  return Object.keys(parts).length > 0 ? parts : undefined;
}

/** @param {string} text */
function bracketed(text) {
  /** @type {Record<string, string>} */
  const parts = {};
  for (const [, identifier, value] of text.matchAll(/\((\d{2,4})\)([^(]+)/g)) parts[identifier] = value.trim();
  return Object.keys(parts).length > 0 ? parts : undefined;
}

/** Whether the last sign of a citizen id is right (GB 11643). @param {string} id */
export function citizenCheck(id) {
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const sum = weights.reduce((total, weight, place) => total + weight * Number(id[place]), 0);
  return "10X98765432"[sum % 11] === id[17].toUpperCase();
}
