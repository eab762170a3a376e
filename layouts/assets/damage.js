/* What is damaged in the data folder, as the stream sends it or, without a stream, as it is fetched: the
 * store of the page gets it, and the strip over the tabs follows that.
 */
import { balanceState } from "./balance.js";
import { balanceRequests } from "./requests.js";

const FETCH_TIMEOUT_MS = 4000;

let known = null; // as JSON; at first what the layout has

function take({ damage }) {
  known ??= document.getElementById("damage-note").dataset.known;
  const text = JSON.stringify(damage);
  if (text !== known) {
    known = text;
    window.dash_clientside.set_props("damage-known", { data: damage });
  }
}

async function refresh() {
  const [answer] = await balanceRequests.fetchJson("/health", { timeout: FETCH_TIMEOUT_MS });
  answer && take(answer);
}

balanceState.hear("damage", { hear: (text) => take(JSON.parse(text)), refresh });
// what it is: another text whenever something is found, or mended
export const balanceDamage = {
  get known() {
    return known;
  },
};
