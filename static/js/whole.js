// A page is seen before all its scripts are at work; what is pressed or scanned meanwhile waits for them and is not lost.

let whole = document.readyState === "complete";
document.addEventListener("DOMContentLoaded", () => (whole = true));

/** Do something as soon as every script of the page is at work: now, unless it still loads. @param {() => void} act */
export function whenWhole(act) {
  if (whole) act();
  else document.addEventListener("DOMContentLoaded", act, { once: true });
}
