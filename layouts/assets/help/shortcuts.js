/* Keyboard shortcuts: what the table that the help button carries says. */
import { at } from "../address.js";
import { setting } from "../settings/settings.js";

const PREFIX = "g";
const PREFIX_MS = 1500;
// where letters are typed, or chosen by
const TYPING = ":read-write, select, [role=combobox]";

let prefixed = -Infinity; // when the first of two keys was pressed

function isMeant(event) {
  return (
    !(event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.isComposing) &&
    !event.defaultPrevented &&
    !event.target.closest?.(TYPING) &&
    document.querySelector(".modal.show") === null &&
    setting("shortcuts") !== false
  );
}

document.addEventListener("keydown", (event) => {
  if (!isMeant(event)) {
    return;
  }
  const table = JSON.parse(document.getElementById("help-btn")?.dataset.shortcuts ?? "[]");
  const isSecond = event.timeStamp - prefixed < PREFIX_MS;
  const pressed = isSecond ? `${PREFIX} ${event.key}` : event.key;
  const found = table.find(({ keys, path }) => keys.includes(pressed) && (!path || at(path) === location.pathname));
  prefixed = !isSecond && event.key === PREFIX ? event.timeStamp : -Infinity;
  if (found !== undefined) {
    // the key itself is not to be typed into what gets the focus
    event.preventDefault();
    const element = document.querySelector(found.target);
    element?.[found.act]();
    element?.select?.();
  }
});
