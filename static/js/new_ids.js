// A form that makes a document carries the document's id, so that sending it twice makes one.
import { newId } from "./ids.js";

for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[data-new-id]"))) field.value ||= newId();
