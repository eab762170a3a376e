/* What Python draws anew holds still: Dash takes away all that was in its place, so what had the focus gets it
 * again, and what was open is open. Each is known by its id. What is pressed in it is put into a store.
 */
import { onArrival } from "./arrivals.js";

document.addEventListener("click", ({ target }) => {
  const { press, pressed } = target.closest("[data-press]")?.dataset ?? {};
  // each is another one
  press && window.dash_clientside.set_props(press, { data: { ...JSON.parse(pressed), press: performance.now() } });
});

let focused = ""; // the id of what had the focus last
const opened = new Set(); // the ids of what is open

const isLost = () => document.activeElement === document.body;

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

onArrival("button[id], summary[id], a[id]", (element) => {
  element.id === focused && isLost() && element.focus({ preventScroll: true });
});
onArrival("details[id]", (element) => opened.has(element.id) && (element.open = true));
