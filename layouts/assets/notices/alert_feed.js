/* What the page knows of the alerts' firings: each that comes while it is open is announced once,
 * and the bell counts those that nobody has seen in this browser.
 */
import { balanceState } from "../balance.js";
import { balanceLive } from "../live.js";
import { balanceRequests } from "../requests.js";
import { balanceToasts } from "../toasts.js";
import { balanceNotices } from "./notices.js";

const FETCH_TIMEOUT_MS = 4000;
const SEEN = "alerts-seen";
const TOAST_MS = 12000;
const MOST_ANNOUNCED = 3;
const MOST_COUNTED = 99;

let version = 0;
let announced = null; // the id of the newest firing that this page announced, or that was before it
let last = 0; // the id of the newest one there is
const followers = [];

const bell = () => document.getElementById("alerts-btn");

function read() {
  const seen = Number(localStorage.getItem(SEEN) ?? 0);
  // of another data folder behind the same address
  return seen > last ? 0 : seen;
}

function count() {
  const unseen = last - read();
  const words = unseen > MOST_COUNTED ? `${MOST_COUNTED}+` : String(unseen || "");
  const label = unseen ? `Alerts, ${words} new` : "Alerts";
  balanceLive.write(bell().querySelector(".alerts-count"), words);
  bell().setAttribute("aria-label", label);
  bell().title = label;
}

/* What has fired so far was seen. */
function see() {
  localStorage.setItem(SEEN, last);
  count();
}

function tell(firings) {
  for (const { id, time, words, toast, notify } of firings.slice(-MOST_ANNOUNCED)) {
    toast && balanceToasts.toast(words, "notice", { lasts: TOAST_MS });
    // the ids of another file of alerts begin anew
    notify && balanceNotices.tell("Alert", words, "alert", `alert ${id} ${time}`);
  }
  if (firings.length > MOST_ANNOUNCED) {
    const more = `And ${firings.length - MOST_ANNOUNCED} more alerts have fired: the bell has them.`;
    balanceToasts.toast(more, "notice", { lasts: TOAST_MS });
  }
}

function take({ version: newer, last: newest, fault, firings }) {
  // a request may be answered after the stream has sent something newer
  if (newer < version) {
    return;
  }
  version = newer;
  announced ??= Number(bell().dataset.last);
  const fresh = firings.filter(({ id }) => id > announced).reverse();
  // of a file that can't be read there seem to be none
  announced = last = fault ? Math.max(last, newest) : newest;
  balanceLive.explain(document.getElementById("alerts-note"), fault);
  tell(fresh);
  count();
  followers.forEach((follow) => follow());
}

/* All alerts and the newest `limit` firings, as GET /alerts answers; null while it does not. */
async function ask(limit) {
  const [answer, problem, status] = await balanceRequests.fetchJson(`/alerts?limit=${limit}`, {
    timeout: FETCH_TIMEOUT_MS,
  });
  // the strip over the tabs says that the server is gone
  return status === null ? null : (answer ?? { problem });
}

async function refresh() {
  const answer = await ask(20);
  if (answer?.firings) {
    take(answer);
  }
}

// another tab has shown them
window.addEventListener("storage", ({ key }) => key === SEEN && announced !== null && count());

balanceState.hear("alerts", { hear: (text) => take(JSON.parse(text)), refresh });
export const balanceAlertFeed = {
  ask,
  see,
  refresh,
  // has `follow` called whenever something about them has changed
  follow(follow) {
    followers.push(follow);
  },
};
