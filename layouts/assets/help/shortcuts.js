/* Keyboard shortcuts: what the table that the help button carries says. */
import { at } from "../address.js";
import { undo } from "../reset.js";
import { setting } from "../settings/settings.js";

const PREFIX = "g";
const PREFIX_MS = 1500;
// where letters are typed, or chosen by
const TYPING =
  'textarea, select, [contenteditable=""], [contenteditable=true], [role=combobox], ' +
  "input:not([type=radio], [type=checkbox], [type=range], [type=button], [type=submit])";

let prefixed = -Infinity; // when the first of two keys was pressed

function table() {
  return JSON.parse(document.getElementById("help-btn")?.dataset.shortcuts ?? "[]");
}

function isMeant(event) {
  return (
    !(event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.isComposing) &&
    !event.defaultPrevented &&
    !event.target.closest?.(TYPING) &&
    document.querySelector(".modal.show") === null &&
    setting("shortcuts") !== false
  );
}

function act({ act, target }) {
  if (act === "undo") {
    undo();
    return;
  }
  const element = document.querySelector(target);
  element?.[act]();
  if (act === "focus") {
    element?.select?.();
  }
}

document.addEventListener("keydown", (event) => {
  if (!isMeant(event)) {
    return;
  }
  const isSecond = event.timeStamp - prefixed < PREFIX_MS;
  const pressed = isSecond ? `${PREFIX} ${event.key}` : event.key;
  const isHere = ({ keys, path }) =>
    keys.includes(pressed) && (path === "" || at(path) === location.pathname);
  const found = table().find(isHere);
  prefixed = !isSecond && event.key === PREFIX ? event.timeStamp : -Infinity;
  if (found !== undefined) {
    // the key itself is not to be typed into what gets the focus
    event.preventDefault();
    act(found);
  }
});
