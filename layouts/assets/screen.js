/* What belongs to the screen alone: flashes, what is copied, and which tab is shown. */
import { register } from "./clientside.js";
import { toast } from "./toasts.js";

const FLASH = [{ backgroundColor: "var(--flash)" }, { backgroundColor: "transparent" }];
const FLASH_MS = 300;
const COPIED_MS = 2000;
/* Whether whoever looks wants nothing to move. */
export const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

/* Shows that what `element` says has just changed. */
export function flash(element) {
  calm.matches || element.animate(FLASH, FLASH_MS);
}

/* Copies what `button` is for by way of a field beside it: what is hidden can't be selected, and only this machine's
 * own pages may use the clipboard directly. */
function copy(button) {
  const field = document.createElement("textarea");
  field.className = "visually-hidden";
  field.value = document.getElementById(button.dataset.copy).textContent;
  button.after(field);
  field.select();
  document.execCommand("copy");
  field.remove();
  button.focus({ preventScroll: true });
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-copy]");
  if (button === null) {
    return;
  }
  copy(button);
  // a large dialog leaves no room for a toast
  button.classList.replace("bi-copy", "bi-check-lg");
  setTimeout(() => button.classList.replace("bi-check-lg", "bi-copy"), COPIED_MS);
  toast("Copied.", "info");
});

let address = null;
const followers = [];

/* Has `follow` called with the address now and whenever another tab is come to. */
export function followAddress(follow) {
  followers.push(follow);
  address === null || follow(address);
}

/* Which panels are hidden: all but that of the address. */
function showPanel(path, paths) {
  address = path;
  followers.forEach((follow) => follow(path));
  const outputs = window.dash_clientside.callback_context.outputs_list;
  return outputs.map(({ id }) => paths[id.slice(0, -"-panel".length)] !== path);
}

/* Opens and closes the menu of a narrow screen, at once: nothing moves but numbers. */
function openMenu(clicks) {
  const isOpen = clicks % 2 === 1;
  return [isOpen ? "sidebar-actions open" : "sidebar-actions", String(isOpen)];
}

register({ showPanel, openMenu });
