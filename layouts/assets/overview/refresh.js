/* What is fetched beside the account: again when the account has changed, while the tab is shown.
 */
import { balanceAddress } from "../address.js";
import { balanceState } from "../balance.js";
import { balanceRequests } from "../requests.js";
import { balanceScreen } from "../screen.js";
import { balanceSettings } from "../settings/settings.js";

const { fetchJson } = balanceRequests;
const GONE = "The server does not answer. This follows when it is back.";

/* The answer to a GET: [it, ""], or [null, what went wrong]. */
async function ask(path, revive) {
  const [answer, problem, status] = await fetchJson(path, { revive });
  return [answer, status === null ? GONE : problem];
}

/* What an answer is of: another one after each change, and when money is written another way. */
function versionOf(snapshot) {
  const decimals = balanceSettings?.get("decimals");
  return snapshot && `${snapshot.account}.${snapshot.revision}.${decimals}`;
}

/* Has `read` called while Overview is shown: at once, `afterCommit` ms after each change, and
 * where these are given, every `whileMoving` ms with the prices, every `atRest` ms without them,
 * and `afterFault` ms after it came to nothing. It is called with the version that it reads
 * and a function that says whether its answer still counts; it says whether it got one. Returns
 * what reads at once.
 */
function keepFresh(read, { afterCommit, whileMoving = Infinity, atRest = Infinity, afterFault }) {
  let isShown = false;
  let [version, tick, at] = [null, null, 0]; // the newest request, and when it was made
  let latest = 0;
  let timer = null;
  const isSeen = () => isShown && document.visibilityState === "visible";

  async function load() {
    clearTimeout(timer);
    timer = null;
    const { snapshot } = balanceState;
    [version, tick, at] = [versionOf(snapshot), snapshot?.tick, Date.now()];
    const number = ++latest;
    const isRight = await read(version, () => number === latest);
    if (number === latest) {
      loadAfter(isRight ? atRest : afterFault);
    }
  }

  function loadAfter(pause) {
    clearTimeout(timer);
    timer = pause === Infinity ? null : setTimeout(() => (isSeen() ? load() : (timer = null)), pause);
  }

  function follow(snapshot) {
    if (!isSeen()) {
      return;
    }
    if (versionOf(snapshot) !== version) {
      version = versionOf(snapshot);
      loadAfter(afterCommit);
    } else if (snapshot.tick !== tick && Date.now() - at > whileMoving) {
      load();
    }
  }

  function resume() {
    const isOld = Date.now() - at > Math.min(atRest, whileMoving);
    if (isSeen() && (at === 0 || isOld || versionOf(balanceState.snapshot) !== version)) {
      load();
    }
  }

  document.addEventListener("visibilitychange", resume);
  balanceState.follow(follow);
  balanceScreen.follow((path) => {
    isShown = path === balanceAddress.at("/");
    resume();
  });
  return load;
}

export const balanceRefresh = { ask, versionOf, keepFresh };
