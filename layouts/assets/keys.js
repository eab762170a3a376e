/* The keys of outside bots, as the stream sends them or, without a stream, as they are fetched: the store
 * of the page gets them while their tab is shown, and their rows follow that.
 */
import { balanceAddress } from "./address.js";
import { balanceState } from "./balance.js";
import { register } from "./clientside.js";
import { balanceRequests } from "./requests.js";

const FETCH_TIMEOUT_MS = 4000;

let newest = null; // as JSON
let drawn = null; // what the store has
let received = 0; // counts messages of the stream, which are newer than what was requested before
let path = null;

const isShown = () => path === balanceAddress.at("/auto");

function show() {
  if (isShown() && newest !== drawn) {
    drawn = newest;
    window.dash_clientside.set_props("auto-keys-known", { data: JSON.parse(newest) });
  }
}

function take(text) {
  received += 1;
  newest = text;
  show();
}

async function refresh() {
  if (!isShown()) {
    return;
  }
  const before = received;
  const [answer] = await balanceRequests.fetchJson("/keys", { timeout: FETCH_TIMEOUT_MS });
  answer && before === received && take(JSON.stringify(answer));
}

/* Has them drawn when their tab is come to. */
function choose(address) {
  path = address;
  show();
  if (newest === null || !balanceState.streaming) {
    refresh();
  }
  return window.dash_clientside.no_update;
}

balanceState.hear("keys", { hear: take, refresh });
register({ chooseKeys: choose });
