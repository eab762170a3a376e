/* What opens over the page, or stands over the epochs. Python draws it; here is what opens and closes it, and
 * when it is read anew.
 */
import { go } from "./address.js";
import { followAccount, snapshot } from "./balance.js";
import { register } from "./clientside.js";
import { focusSoon } from "./dialogs.js";
import { PATH, hrefWith, member } from "./history/view.js";
import { isOff } from "./link.js";
import { setting } from "./settings/settings.js";

const PAUSE_MS = 1000;
const called = () => window.dash_clientside.callback_context;

// by the store that has something read: what, when, and of which account
const reads = {};
let wasOff = false;
let timer = null;

function stateOf({ account, revision, portfolio_value: equity }) {
  return { version: `${account}.${revision}.${setting("decimals")}`, equity };
}

function read(store, shown) {
  const at = Date.now();
  reads[store] = { shown, at, ...(snapshot && stateOf(snapshot)) };
  window.dash_clientside.set_props(store, { data: { shown, at } });
}

// in how many ms what the element with these data is to be read anew
function waitOf({ follows, pace, again }, isBack) {
  const { at, version, equity } = reads[follows] ?? { at: 0 };
  const now = stateOf(snapshot);
  const pauses = [
    isBack ? 0 : Infinity,
    // a change of the account is seen sooner than one of the prices
    version === now.version ? Infinity : Number(pace ?? 10 * PAUSE_MS) / 10,
    equity === now.equity ? Infinity : Number(pace ?? Infinity),
    Number(again ?? Infinity),
  ];
  return at + Math.min(...pauses) - Date.now();
}

/* Has all read anew that is in sight and follows an account that has moved since. */
export function follow() {
  const isBack = wasOff;
  wasOff = isOff;
  clearTimeout(timer);
  if (isOff || document.hidden || snapshot === null) {
    return;
  }
  const shown = [...document.querySelectorAll("[data-follows]")].filter((element) => element.checkVisibility());
  for (const { dataset } of shown) {
    waitOf(dataset, isBack) > 0 || read(dataset.follows, reads[dataset.follows]?.shown);
  }
  const next = Math.min(...shown.map(({ dataset }) => waitOf(dataset)));
  timer = next < Infinity ? setTimeout(follow, next) : null;
}

/* Has a dialog show something, and opens it meanwhile; closes it for null. */
function show(name, shown) {
  const isOpen = shown !== null;
  isOpen && read(`${name}-read`, shown);
  // the request is sent before the dialog is drawn
  requestAnimationFrame(() => window.dash_clientside.set_props(`${name}-dialog`, { is_open: isOpen }));
}

/* Empties a dialog that was closed: it begins with `title`. */
function emptyReading(isOpen, title) {
  const { no_update: same } = window.dash_clientside;
  return isOpen ? [same, same, same] : [title, [], null];
}

document.addEventListener("click", ({ target }) => {
  const figure = target.closest?.("[data-derive]");
  if (figure) {
    const isWithin = figure.closest("#derivation-body") !== null;
    show("derivation", { name: figure.dataset.derive, isWithin, at: Date.now() });
  } else if (target.closest?.("#derivation-body a")) {
    show("derivation", null);
  }
});

document.addEventListener("keydown", (event) => {
  const isPress = event.key === "Enter" || event.key === " ";
  // a button is clicked by them anyway
  if (isPress && event.target.matches?.("[data-derive]:not(button)")) {
    event.preventDefault();
    event.target.click();
  }
});

/* Goes to a neighbour of the entry that is open, or to its place in the whole ledger. */
function goFromEntry(before, after, show, found) {
  const goal = called().triggered_id;
  if (found?.place !== member("entry")) {
    return; // another one is on its way
  }
  if (goal === "entry-show") {
    go(PATH, { state: { to: { place: found.place, offset: found.offset } } });
  } else {
    const entry = goal === "entry-before" ? found.before : found.after;
    go(hrefWith({ entry }), { replace: true, state: history.state ?? {} });
  }
}

/* Takes what was closed out of the address, of which it is a part. */
function leaveDetails(isEntryOpen, isOrderOpen) {
  const isEntry = called().triggered_id === "entry-dialog";
  const isLeft = isEntry ? !isEntryOpen && member("entry") : !isOrderOpen && member("order");
  if (isLeft && location.pathname === PATH) {
    history.state?.isOpened ? history.back() : go(hrefWith({ entry: "", order: "" }), { replace: true });
  }
}

/* Goes to the epochs that are picked, side by side, or to none. */
function compare(open, close, picked) {
  const isClosed = called().triggered_id === "history-compare-close";
  focusSoon(isClosed ? "history-compare" : "history-compared-title");
  go(hrefWith({ compare: isClosed ? "" : picked.join(",") }), { replace: true });
}

register({
  emptyReading,
  openEntry: (place) => show("entry", place),
  openOrder: (id) => show("order-record", id),
  goFromEntry,
  leaveDetails,
  compare,
  canNotCompare: (picked) => picked.length < 2,
  readCompared: (epochs) => void (epochs === null || read("history-compare-read", epochs)),
});
followAccount(() => {
  document.getElementById("history-undo-place").hidden = !snapshot?.can_undo_reset;
  // what is in sight is worked out once the figures are shown
  setTimeout(follow, 0);
});
document.addEventListener("visibilitychange", follow);
