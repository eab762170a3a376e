/* The rows of the bots, of outside bots, and what the bots did: Python draws them, and their figures are
 * live texts.
 */
import { provide } from "../live.js";
import { marker, redraw } from "../redraw.js";
import { flash } from "../screen.js";

// a list takes longer to draw than the rows of bots
const ACTIVITY_PAUSE_MS = 3000;

const markActivity = marker("bots-activity", { tab: "/auto", pause: ACTIVITY_PAUSE_MS });
let results = new Map(); // what of each bot's result a trade has changed

/* Prices move all the time: only what a trade has changed flashes. */
function flashTraded(bots) {
  const before = results;
  results = new Map(bots.map(({ id, trades, realized, position }) => [id, `${trades} ${realized} ${position?.quantity}`]));
  for (const [id, result] of results) {
    if ((before.get(id) ?? result) !== result) {
      document.querySelectorAll(`[data-of="bots/${id}"][data-live="pnl"]`).forEach(flash);
    }
  }
}

function follow(answer) {
  provide("bots-together", [{ ...answer, id: "all" }]);
  flashTraded(answer.bots);
  markActivity(answer.activity);
}

redraw("bots", { address: "/bots", tab: "/auto", follow });
redraw("keys", { address: "/keys", key: "name", tab: "/auto" });
