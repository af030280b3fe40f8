// Forms forgive: dates typed as 0831, money typed as 12.5, full-width characters; and a form is sent once.
import { halfWidth } from "./codes.js";

document.addEventListener("focusout", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLInputElement) || field.value === "") return;
  if (field.matches("[data-date]")) field.value = dateOf(field.value) ?? field.value;
  else if (field.matches("[data-money]")) field.value = moneyOf(field.value) ?? field.value;
  else if (field.matches("[data-code]")) field.value = halfWidth(field.value).replaceAll(" ", "");
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.method !== "post" || usesHtmx(form)) return;
  if (form.dataset.sent) event.preventDefault();
  else form.dataset.sent = "yes";
});

// The back button shows the page as it was left; then the form may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete (/** @type {HTMLFormElement} */ (form)).dataset.sent;
});

/** @param {HTMLFormElement} form */
function usesHtmx(form) {
  return form.hasAttribute("hx-post") || form.hasAttribute("hx-get");
}

/**
 * 0831 → 31 August of this year; 270831, 2027.8.31, 20270831, 202708 (the last day of the month) likewise.
 * @param {string} typed
 * @param {Date} today
 * @returns {string | undefined}
 */
export function dateOf(typed, today = new Date()) {
  const text = halfWidth(typed).trim();
  const split = /^(\d{4}|\d{2})[-./年](\d{1,2})(?:[-./月](\d{1,2})日?|月)?$/.exec(text);
  if (split) return written(split[1], split[2], split[3]);
  if (/^\d{4}$/.test(text)) return written(String(today.getFullYear()), text.slice(0, 2), text.slice(2));
  if (/^(?:19|20)\d{4}$/.test(text)) return written(text.slice(0, 4), text.slice(4));
  if (/^\d{6}$/.test(text)) return written(text.slice(0, 2), text.slice(2, 4), text.slice(4));
  if (/^\d{8}$/.test(text)) return written(text.slice(0, 4), text.slice(4, 6), text.slice(6));
  return undefined;
}

/**
 * @param {string} year
 * @param {string} month
 * @param {string} [day] the last of the month when left out
 */
function written(year, month, day) {
  const full = Number(year.length === 2 ? `20${year}` : year);
  const last = new Date(Date.UTC(full, Number(month), 0)).getUTCDate();
  const on = Number(day ?? last);
  if (Number(month) < 1 || Number(month) > 12 || on < 1 || on > last) return undefined;
  return `${full}-${String(Number(month)).padStart(2, "0")}-${String(on).padStart(2, "0")}`;
}

/**
 * 12.5 → 12.50. Only figures with at most two places are money.
 * @param {string} typed
 */
export function moneyOf(typed) {
  const text = halfWidth(typed).trim().replace(/[,，¥元\s]/g, "");
  const [, whole, cents] = /^(\d{1,9})(?:\.(\d{0,2}))?$/.exec(text) ?? [];
  return whole === undefined ? undefined : `${String(Number(whole))}.${(cents ?? "").padEnd(2, "0")}`;
}
