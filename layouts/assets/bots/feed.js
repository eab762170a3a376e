/* What the page knows of the bots: the newest that the stream sent or, without a
 * stream, that was fetched. Whoever draws it follows, and is called only while the tab is shown.
 */
import { balanceAddress } from "../address.js";
import { balanceState } from "../balance.js";
import { register } from "../clientside.js";
import { balanceRequests } from "../requests.js";

const FETCH_TIMEOUT_MS = 4000;

let state = null; // as GET /bots answers
let problem = ""; // what keeps it from being known
let path = null;
let received = 0; // counts messages of the stream, which are newer than what was requested before
let isFetching = false;
const followers = [];

const isShown = () => path === balanceAddress.at("/auto");

function tell() {
  if (isShown()) {
    followers.forEach((follow) => follow(state, problem));
  }
}

function receive(text) {
  received += 1;
  [state, problem] = [JSON.parse(text), ""];
  tell();
}

/* Fetches all of them, where somebody looks at them. */
async function refresh() {
  if (!isShown() || isFetching) {
    return;
  }
  const before = received;
  isFetching = true;
  const [answer, wrong, status] = await balanceRequests.fetchJson("/bots", { timeout: FETCH_TIMEOUT_MS });
  isFetching = false;
  // the strip over the tabs says when the server is gone
  if (before === received && status !== null) {
    [state, problem] = [answer ?? state, wrong];
    tell();
  }
}

/* Has them drawn when their tab is come to. */
function choose(address) {
  path = address;
  tell();
  if (state === null || !balanceState.streaming) {
    refresh();
  }
  return window.dash_clientside.no_update;
}

balanceState.hear("bots", { hear: receive, refresh });
export const balanceBots = {
  refresh,
  isShown,
  get state() {
    return state;
  },
  find: (id) => state?.bots.find((each) => each.id === id),
  follow(follow) {
    followers.push(follow);
  },
};
register({ chooseBots: choose });
