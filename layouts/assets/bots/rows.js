/* The rows of the bots, of outside bots, and what the bots did: Python draws them, and their figures are
 * live texts.
 */
import { provide } from "../live.js";
import { marker, redraw } from "../redraw.js";
import { flash } from "../screen.js";

// a list takes longer to draw than the rows of bots
const ACTIVITY_PAUSE_MS = 3000;
// prices move all the time: only what a trade has changed flashes
const TRADED = '[data-live="position"], [data-live="record"]';

const markActivity = marker("bots-activity", { tab: "/auto", pause: ACTIVITY_PAUSE_MS });

function follow(answer, changed) {
  provide("bots-together", [{ ...answer, id: "all" }]);
  changed.filter((figure) => figure.matches(TRADED)).forEach(flash);
  markActivity(answer.activity);
}

redraw("bots", { address: "/bots", tab: "/auto", follow });
redraw("keys", { address: "/keys", key: "name", tab: "/auto" });
