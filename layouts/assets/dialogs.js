/* What all dialogs and forms do in the page itself: they open at once where nothing of the server is needed,
 * close also while it does not answer, and have the focus where one goes on.
 */
import { onArrival } from "./arrivals.js";
import { register } from "./clientside.js";

const FOCUS_MS = 3000;
const REST_MS = 150;

/* Opens a dialog: [open, no error, what its fields begin with]. */
function openDialog(...values) {
  const { no_update: noUpdate, callback_context: context } = window.dash_clientside;
  // a button that only came into the page was not clicked
  if (!context.triggered.some(({ value }) => value)) {
    return context.outputs_list.map(() => noUpdate);
  }
  return [true, "", ...context.outputs_list.slice(2).map(({ id }) => values.at(-1)[id])];
}

document.addEventListener("click", ({ target }) => {
  const dialog = target.closest("[data-close]")?.dataset.close;
  dialog && window.dash_clientside.set_props(dialog, { is_open: false });
});

// what is in the field that has the focus first is written over
onArrival(".modal", (modal) => modal.contains(document.activeElement) && document.activeElement.select?.());

/* Has the focus where it is lost in the next seconds: a dialog that closes gives it back to what it was
 * opened by, which goes then; in a dialog that goes on, the field goes that had it.
 */
export function keepFocus(id, until = Date.now() + FOCUS_MS) {
  const place = document.getElementById(id);
  const dialog = place?.closest(".modal");
  const isFree = dialog || document.querySelector(".modal-backdrop") === null;
  if (document.activeElement === document.body && isFree) {
    (dialog ?? place)?.focus({ preventScroll: true });
  }
  if (Date.now() < until) {
    requestAnimationFrame(() => keepFocus(id, until));
  }
}

/* Moves the focus to a field that is put into the page, or shown, some time later. */
export function focusSoon(id, tries = 120) {
  const field = document.getElementById(id);
  if (field?.checkVisibility()) {
    field.focus();
    field.select?.();
  } else if (tries > 0) {
    requestAnimationFrame(() => focusSoon(id, tries - 1));
  }
}

// a field is described by what stands below it, its hint and what is wrong with it
document.addEventListener("focusin", ({ target }) => {
  const [hint, error] = ["hint", "error"].map((each) => document.getElementById(`${target.id}-${each}`));
  if (target.id && (hint || error)) {
    target.setAttribute("aria-describedby", [hint, error].flatMap((each) => each?.id ?? []).join(" "));
    target.setAttribute("aria-invalid", Boolean(error?.textContent));
  }
});

/* What stands in the fields of a dialog once it has rested for a moment: Dash drops what came before. */
async function rested(...typed) {
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  return typed;
}

/* What the button says that closes a part, and whether it is off: it closes nothing that is not said. */
function nameClosing(typed, { key }) {
  const quantity = typed?.trim();
  return quantity ? [`Close ${quantity} ${key.split("/")[0]}`, false] : ["Close", true];
}

register({ openDialog, rested, nameClosing, moveFocus: ({ id }) => focusSoon(id) });
