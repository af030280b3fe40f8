// A form that makes a document carries the document's id, so that sending it twice makes one.
import { newId } from "./ids.js";

function giveIds() {
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[data-new-id]"))) field.value ||= newId();
}

giveIds();
document.addEventListener("htmx:afterSwap", giveIds);
