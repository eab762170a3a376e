/* What is damaged in the data folder: the strip over the tabs is drawn anew when that is something else. */
import { redraw } from "./redraw.js";

// the layout has the first already
const first = () => document.getElementById("damage-note").dataset.known;
redraw("damage", { address: "/health", key: "message", first });
