/* What is damaged in the data folder: the strip over the tabs is drawn anew when that is something else. */
import { redraw } from "./redraw.js";

/* What it is, as JSON: another text whenever something is found, or mended. */
export let known = null;

redraw("damage", {
  address: "/health",
  // the layout has it already
  first: () => document.getElementById("damage-note").dataset.known,
  follow({ damage }) {
    known = JSON.stringify(damage);
  },
});
