/* What Python draws anew holds still: Dash takes away all that was in its place, so what had the focus gets it
 * again, what was open is open, and a list that is scrolled stays at the row that is read. Each is known by
 * its id. What is pressed in it is put into a store.
 */
import { onArrival } from "./arrivals.js";

let presses = 0; // so that each is another one

document.addEventListener("click", ({ target }) => {
  const { press, pressed } = target.closest("[data-press]")?.dataset ?? {};
  press && window.dash_clientside.set_props(press, { data: { ...JSON.parse(pressed), press: (presses += 1) } });
});

let focused = ""; // the id of what had the focus last
const opened = new Set(); // the ids of what is open
const anchors = new Map(); // of each scrolled list by its id: its first row in sight, and how far down that is

const isLost = () => document.activeElement === document.body;
const distance = (row, list) => row.getBoundingClientRect().top - list.getBoundingClientRect().top;

document.addEventListener("focusin", ({ target }) => (focused = target.id));
document.addEventListener("focusout", ({ target }) => {
  // of what was taken away it is not given up
  setTimeout(() => target.isConnected && isLost() && (focused = ""));
});
document.addEventListener(
  "toggle",
  ({ target }) => target.id && (target.open ? opened.add(target.id) : opened.delete(target.id)),
  true,
);
document.addEventListener(
  "scroll",
  ({ target: list }) => {
    const rows = list.id ? [...list.querySelectorAll("tr[id]")] : [];
    const first = list.scrollTop > 0 && rows.find((row) => distance(row, list) + row.clientHeight > 0);
    first ? anchors.set(list.id, [first.id, distance(first, list)]) : anchors.delete(list.id);
  },
  true,
);

onArrival("button[id], summary[id], a[id]", (element) => {
  element.id === focused && isLost() && element.focus({ preventScroll: true });
});
onArrival("details[id]", (element) => opened.has(element.id) && (element.open = true));
onArrival("tr[id]", (row) => {
  for (const [id, [first, before]] of anchors) {
    const list = row.id === first && row.closest(`[id="${id}"]`);
    list && (list.scrollTop += distance(row, list) - before);
  }
});
