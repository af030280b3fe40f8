// A scanner does not wait: what one scan asks for is done before the next is looked at, and before its form goes.

/**
 * Things done one after the other, in the order in which they came.
 * @param {(error: Error) => void} broke what is said when one of them breaks; the next goes on
 * @param {HTMLFormElement | null} [form] goes when everything before it is done
 * @returns {(act: () => unknown) => Promise<unknown>}
 */
export function turns(broke, form = null) {
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();
  /** @param {() => unknown} act */
  const then = (act) => (last = last.then(act).catch(broke));
  let ready = false;
  form?.addEventListener("submit", (event) => {
    if (ready) return;
    event.preventDefault();
    event.stopPropagation(); // Not sent yet: forms.js must not take it for a form that was.
    const button = event.submitter;
    then(() => {
      ready = true; // The event comes before requestSubmit returns.
      form.requestSubmit(button instanceof HTMLButtonElement ? button : undefined);
      ready = false;
    });
  });
  return then;
}
