/* The one way of the balance through the page: what the stream, the interval and the Sync buttons
 * bring is accepted here if it is newer, shown by every live component, and put into balance-store
 * through `receive`, for all other callbacks to follow.
 */
import { at } from "./address.js";
import { register } from "./clientside.js";
import { feed, provide, showLink } from "./live.js";
import { flash } from "./screen.js";
import { listenToBalance } from "./stream.js";
import { toast } from "./toasts.js";

const FETCH_TIMEOUT_MS = 4000;

/* The newest snapshot. */
export let snapshot = null;
/* Whether what is new comes by itself. */
export let streaming = false;
/* When the shown snapshot was last known to be the newest, in ms. */
export let confirmed = null;
/* When the newest prices came, in ms; null where this page can't know. */
export let priced = null;
// how the snapshot comes here, and what keeps it from being read
let link = { state: "polling", at: null };
let fault = null;
let etag = null;
let pushes = 0;
let ticked = null; // the tick of the prices that balance-store holds
let stored = null; // what of the account and the link balance-store was last woken for
let flashed = null; // the revision whose changes have flashed
const followers = [];
const witnesses = [];
const hearers = {}; // of what the stream sends beside the account, by the event's name
const OF_THE_ACCOUNT = ["snapshot", "fault", "beat", "down"];

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

function accept(candidate) {
  if (isNewer(candidate)) {
    priced = pricedAt(candidate);
    snapshot = candidate;
    witnesses.forEach((see) => see(snapshot));
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
  confirmed = Date.now();
  link = { ...link, at: new Date(confirmed).toISOString() };
}

function view() {
  ticked = snapshot?.tick;
  return { ...(snapshot ?? {}), link, fault };
}

// shows what came at once, and wakes the one callback, which puts it into balance-store: the way
// through the store alone takes Dash some 20 ms. Where only prices have moved, which they do all
// the time, the interval puts them there
function push() {
  show();
  const news = JSON.stringify([snapshot?.account, snapshot?.revision, link.state, fault]);
  if (news !== stored) {
    stored = news;
    pushes += 1;
    // in a task of its own, so that what is shown does not wait for Dash
    setTimeout(() => window.dash_clientside.set_props("balance-push", { data: pushes }), 0);
  }
}

function hear(message) {
  if (!OF_THE_ACCOUNT.includes(message.kind)) {
    hearers[message.kind]?.hear(message.text);
    return;
  }
  if (message.kind === "down") {
    streaming = false;
    refresh().then(push);
    return;
  }
  const wasStreaming = streaming;
  streaming = true;
  if (message.kind === "beat") {
    hearBeat(JSON.parse(message.text), wasStreaming);
    return;
  }
  link = { ...link, state: "live" };
  if (message.kind === "fault") {
    fault = JSON.parse(message.text).detail;
  } else {
    accept(JSON.parse(message.text));
  }
  push();
}

function hearBeat({ revision }, wasStreaming) {
  const missed = snapshot !== null && revision > snapshot.revision;
  if (missed || !wasStreaming) {
    refresh().then(push);
  } else if (fault === null) {
    confirm();
  }
}

async function refresh() {
  Object.values(hearers).forEach((each) => each.refresh());
  try {
    const response = await fetch(at("/virtual_balance"), {
      headers: etag ? { "If-None-Match": etag } : {},
      cache: "no-store",
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    await take(response);
    link = { ...link, state: streaming ? "live" : "polling" };
  } catch {
    link = { ...link, state: "offline" };
  }
}

async function take(response) {
  if (response.status === 304) {
    fault = null;
    confirm();
    return;
  }
  const body = await response.json();
  if (response.ok) {
    etag = response.headers.get("ETag");
    accept(body);
  } else {
    etag = null;
    fault = body.detail;
  }
}

function syncWords(before) {
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

async function sync() {
  const before = snapshot?.revision;
  await refresh();
  toast(...syncWords(before));
  return view();
}

/* The sole writer of balance-store. */
async function receive(intervals, pushed, ...rest) {
  const woken = window.dash_clientside.callback_context.triggered_id;
  if (woken === undefined) {
    return begin(rest.at(-1));
  }
  if (woken.endsWith("-sync-balance-btn")) {
    return sync();
  }
  if (woken === "balance-push") {
    return view();
  }
  if (streaming) {
    return snapshot?.tick === ticked ? noUpdate() : view();
  }
  await refresh();
  return view();
}

function begin(store) {
  // a page that comes back from the browser's cache already knows more than its layout
  if (snapshot === null && store.revision !== undefined) {
    const { link: _, fault: __, ...first } = store;
    priced = pricedAt(first);
    snapshot = first;
    confirmed = Date.now();
  }
  fault = store.fault ?? null;
  listenToBalance(hear);
  snapshot === null || witnesses.forEach((see) => see(snapshot));
  return noUpdate();
}

const byKey = (rows, key) => new Map(rows.map((row) => [row[key], row]));

// feeds every live component there is, and says on every tab how live it is
function show() {
  provide("positions", byKey(snapshot?.positions ?? [], "symbol"));
  provide("orders", byKey(snapshot?.open_orders ?? [], "id"));
  const changed = feed(document);
  // prices move all the time: only what a change of the account has changed flashes
  if (snapshot !== null && snapshot.revision !== flashed) {
    flashed === null || changed.forEach(flash);
    flashed = snapshot.revision;
  }
  showLink(link, fault);
  if (snapshot !== null) {
    followers.forEach((follow) => follow(snapshot));
  }
}

/* The fan-out: shows what balance-store holds.
 *
 * The texts are written into the page itself. As outputs of this callback each would go through
 * Dash's store and its loading state: measured on the same page, some 60 dispatches a change.
 */
function fanOut() {
  show();
  return noUpdate();
}

/* Takes the snapshot that a request of this page was answered with. */
export function acceptAnswer(answer) {
  accept(answer);
  push();
}

/* Fetches what is new where it does not come by itself. */
export function catchUp() {
  streaming || refresh().then(push);
}

/* Has `hear` called with the text of each event of that name, and `refresh` whenever the page fetches, as
 * it has no stream or Sync was pressed. */
export function hearEvent(name, { hear, refresh }) {
  hearers[name] = { hear, refresh };
}

/* Has `follow` called with the newest snapshot whenever something is shown. */
export function followAccount(follow) {
  followers.push(follow);
}

/* Has `see` called with every snapshot that comes, before it is shown. */
export function witnessAccount(see) {
  witnesses.push(see);
}

register({ receive, fanOut });
