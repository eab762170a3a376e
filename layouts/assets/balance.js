/* The one way of the balance through the page: what the stream, the interval and the Sync buttons bring is
 * accepted here if it is newer, shown by every live component, and put into balance-store by `receive`.
 */
import { register } from "./clientside.js";
import { showAge, showLink } from "./link.js";
import { feed, provide } from "./live.js";
import { fetchJson, onEnd } from "./requests.js";
import { flash } from "./screen.js";
import { listenTogether } from "./stream.js";
import { toast } from "./toasts.js";

const FETCH_TIMEOUT_MS = 4000;

/* The newest snapshot. */
export let snapshot = null;
/* Whether what is new comes by itself. */
export let streaming = false;
let priced = null; // when the newest prices came, in ms, if that is known
let link = { state: "polling", at: null }; // how the snapshot comes here, and when it was known to be the newest
let fault = null; // what keeps it from being read
let ticked = null; // the tick of the prices that balance-store holds
let stored = null; // what of the account and the link balance-store was last woken for
let received = null; // what the one callback was last called with
let flashed = null; // the revision whose changes have flashed
const followers = [];
const hearers = {}; // of what the stream sends beside the account, by the event's name

const noUpdate = () => window.dash_clientside.no_update;

function isNewer(candidate) {
  if (snapshot === null || candidate.account !== snapshot.account) {
    return true;
  }
  if (candidate.revision !== snapshot.revision) {
    return candidate.revision > snapshot.revision;
  }
  // ticks count within one server process
  return candidate.instance !== snapshot.instance || candidate.tick >= snapshot.tick;
}

/* Takes a snapshot over, if it is newer. */
export function accept(candidate) {
  if (isNewer(candidate)) {
    priced = pricedAt(candidate);
    snapshot = candidate;
  }
  fault = null;
  confirm();
}

// a replay has a time of its own: of its prices is known when they came to this page
function pricedAt({ market }) {
  if (!market.feed?.startsWith("replay")) {
    return market.as_of === null ? null : Date.parse(market.as_of);
  }
  const isNew = snapshot !== null && market.as_of !== snapshot.market.as_of;
  return isNew ? Date.now() : priced;
}

function confirm() {
  link = { ...link, at: new Date().toISOString() };
}

function view() {
  ticked = snapshot?.tick;
  return { ...(snapshot ?? {}), link, fault };
}

// shows what came at once, and wakes the one callback, which puts it into balance-store: the way
// through the store alone takes Dash some 20 ms. Prices alone are put there by the interval
function push() {
  show();
  const news = JSON.stringify([snapshot?.account, snapshot?.revision, link.state, fault]);
  if (news !== stored) {
    stored = news;
    // in a task of its own, so that what is shown does not wait for Dash
    setTimeout(() => window.dash_clientside.set_props("balance-push", { data: news }), 0);
  }
}

/* Fetches what is new where it does not come by itself. */
async function catchUp() {
  if (!streaming) {
    await refresh();
    push();
  }
}

function arrive() {
  streaming = true;
  link = { ...link, state: "live" };
  push();
}

// what the stream says of the account and of itself, by the event's name
const takes = {
  snapshot(text) {
    accept(JSON.parse(text));
    arrive();
  },
  fault(text) {
    fault = JSON.parse(text).detail;
    arrive();
  },
  async heartbeat(text) {
    const { revision } = JSON.parse(text);
    const hasMissed = !streaming || (snapshot !== null && revision > snapshot.revision);
    streaming = true;
    if (hasMissed) {
      await refresh();
      push();
    } else if (fault === null) {
      confirm();
    }
  },
  down() {
    streaming = false;
    catchUp();
  },
};

async function refresh() {
  Object.values(hearers).forEach(({ refresh }) => refresh());
  // the browser asks whether it is still what it has
  const options = { cache: "no-cache", timeout: FETCH_TIMEOUT_MS };
  const [answer, problem, status] = await fetchJson("/virtual_balance", options);
  if (answer !== null) {
    accept(answer);
  } else if (status !== null) {
    fault = problem;
  }
  link = { ...link, state: status === null ? "offline" : streaming ? "live" : "polling" };
}

function syncMessage(before) {
  if (link.state === "offline") {
    return ["The server does not answer. Nothing was fetched; start it again.", "error"];
  }
  if (fault !== null) {
    return [fault, "error"];
  }
  const now = `revision ${snapshot.revision}. Balance ${snapshot.display.balance}.`;
  return before === snapshot.revision
    ? [`In sync, ${now}`, "info"]
    : [`Was at revision ${before ?? "none"}, now in sync, ${now}`, "info"];
}

/* The sole writer of balance-store. What woke it is seen by what has changed: where much comes at once, Dash
 * makes one call of several, or drops an earlier one for a later, and names what woke that alone.
 */
async function receive(intervals, pushed, ...rest) {
  const store = rest.pop();
  const now = { pushed, presses: rest.reduce((sum, clicks) => sum + (clicks ?? 0), 0) };
  const before = received;
  received = now;
  if (before === null) {
    begin(store);
    return noUpdate();
  }
  if (now.presses > before.presses) {
    const revision = snapshot?.revision;
    await refresh();
    toast(...syncMessage(revision));
  } else if (now.pushed === before.pushed) {
    if (streaming && snapshot?.tick === ticked) {
      return noUpdate();
    }
    streaming || (await refresh());
  }
  return view();
}

function begin({ link: _, fault: problem, ...first }) {
  first.revision === undefined || accept(first);
  fault = problem ?? null;
  listenTogether(({ kind, text }) => (takes[kind] ?? hearers[kind]?.hear)?.(text));
  show();
}

// feeds every live component there is, and says on every tab how live it is
function show() {
  provide("positions", snapshot?.positions ?? [], "symbol");
  provide("orders", snapshot?.open_orders ?? []);
  const changed = feed(document, snapshot);
  // prices move all the time: only what a change of the account has changed flashes
  showLink(link, fault, snapshot);
  if (snapshot !== null) {
    flashed !== null && snapshot.revision !== flashed && changed.forEach(flash);
    flashed = snapshot.revision;
    followers.forEach((follow) => follow(snapshot));
  }
}

/* The fan-out: shows what balance-store holds. As outputs of this callback each text would go through Dash's
 * store and its loading state: measured on the same page, some 60 dispatches a change. */
function fanOut() {
  show();
  return noUpdate();
}

/* Has `take` called with what each event of that name says and, whenever the page fetches, as it has no stream
 * or Sync was pressed, with what is at `address`, if there is one, where `isNeeded`. Returns what fetches it. */
export function hearEvent(name, take, { address = null, isNeeded = () => true } = {}) {
  let received = 0; // what came is newer than what was requested before

  function hear(message) {
    received += 1;
    take(message);
  }

  async function refresh() {
    const before = received;
    const isFetched = address !== null && isNeeded();
    const [answer] = isFetched ? await fetchJson(address, { timeout: FETCH_TIMEOUT_MS }) : [null];
    answer !== null && before === received && hear(answer);
  }

  hearers[name] = { hear: (text) => hear(JSON.parse(text)), refresh };
  return refresh;
}

/* Has `follow` called with the newest snapshot whenever something is shown. */
export function followAccount(follow) {
  followers.push(follow);
}

setInterval(() => showAge(link.at && Date.parse(link.at), priced), 1000);
onEnd(catchUp);
register({ receive, fanOut });
