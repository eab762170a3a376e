/* What opens over the page: how a figure comes about, an entry, an order, epochs side by side. Python draws
 * it; here is what opens and closes it, and when it is read anew.
 */
import { balanceAddress } from "./address.js";
import { balanceState } from "./balance.js";
import { register } from "./clientside.js";
import { balanceDialogs } from "./dialogs.js";
import { balanceHistory } from "./history/view.js";
import { balanceReset } from "./reset.js";

const { go } = balanceAddress;
const { PATH, START, parse, href, listOf } = balanceHistory;

// what is read anew when the account has moved, by the store that has it done: what is there while it may
// be out of date, whether prices move it, and how long it is left alone
const READINGS = [
  { store: "derivation-read", while: "#derivation-body", byPrices: true, pause: 2000 },
  // the newest entry has a later one as soon as something happens
  { store: "entry-read", while: "#entry-after:disabled", pause: 1000 },
  { store: "order-record-read", while: "#order-record-body", pause: 1000 },
  { store: "history-compare-read", while: "#history-epochs.follows", pause: 1000 },
];

let isOffline = false;
let timer = null;

function versionOf({ byPrices }) {
  const { revision, tick } = balanceState.snapshot ?? {};
  return byPrices ? `${revision}.${tick}` : `${revision}`;
}

function look() {
  const isBack = isOffline;
  isOffline = document.getElementById("app-shell").dataset.link === "offline";
  document.getElementById("history-undo-place").hidden = !balanceState.snapshot?.can_undo_reset;
  for (const each of isOffline ? [] : READINGS) {
    const version = versionOf(each);
    const isShown = document.querySelector(each.while)?.checkVisibility();
    if (!isShown || (each.version === version && !isBack)) {
      continue;
    }
    const rest = (each.at ?? 0) + each.pause - Date.now();
    if (rest > 0 && !isBack) {
      timer ??= setTimeout(() => ((timer = null), look()), rest);
    } else {
      [each.version, each.at] = [version, Date.now()];
      window.dash_clientside.set_props(each.store, { data: each.at });
    }
  }
}

/* What opens a dialog for what is to be shown, empty until the server has answered, and closes it for null. */
const opens = (store, title) => (shown, isOpen) => {
  const { no_update: same } = window.dash_clientside;
  if (shown === null) {
    return [false, same, same, same];
  }
  const reading = READINGS.find((each) => each.store === store);
  [reading.version, reading.at] = [versionOf(reading), Date.now()];
  return [true, ...(isOpen ? [same, same] : [title(shown), []]), reading.at];
};

/* The attributes of what opens how a figure comes about; as in layouts/live.py. */
export const derivable = (name) => ({
  ...{ "data-derive": name, role: "button", tabindex: "0", title: "How this comes about" },
});

let derivation = { trail: [] };

/* Opens how a figure comes about; from within the dialog, the one that is open is come back to. */
function explain(figure) {
  const name = figure.dataset.derive;
  const isWithin = figure.closest("#derivation-body") !== null;
  const { trail } = derivation;
  const before = name === trail.at(-1) ? trail.slice(0, -1) : [...trail, derivation.name];
  const opened = isWithin ? derivation.opened : Date.now();
  derivation = { name, trail: isWithin ? before : [], isWithin, opened };
  window.dash_clientside.set_props("derivation-shown", { data: derivation });
}

document.addEventListener("click", ({ target }) => {
  const figure = target.closest?.("[data-derive]");
  if (figure) {
    explain(figure);
  } else if (target.closest?.("#derivation-body a")) {
    window.dash_clientside.set_props("derivation-dialog", { is_open: false });
  }
});

document.addEventListener("keydown", (event) => {
  const isPress = event.key === "Enter" || event.key === " ";
  // a button is clicked by them anyway
  if (isPress && event.target.matches?.("[data-derive]:not(button)")) {
    event.preventDefault();
    explain(event.target);
  }
});

/* Goes to a neighbour of the entry that is open, or to its place in the whole ledger. */
function goFromEntry(before, after, show, found) {
  const { triggered_id: goal } = window.dash_clientside.callback_context;
  const view = parse(location.search);
  if (found?.place !== view.entry) {
    return; // another one is on its way
  }
  if (goal === "entry-show") {
    go(href(START), { state: { to: { place: found.place, offset: found.offset } } });
  } else {
    const entry = goal === "entry-before" ? found.before : found.after;
    go(href({ ...view, entry }), { replace: true, state: history.state ?? {} });
  }
}

/* Takes what was closed out of the address, of which it is a part. */
function leaveDetails(isEntryOpen, isOrderOpen) {
  const view = parse(location.search);
  const { triggered_id: dialog } = window.dash_clientside.callback_context;
  const isLeft = dialog === "entry-dialog" ? !isEntryOpen && view.entry : !isOrderOpen && view.order;
  if (isLeft && location.pathname === PATH) {
    history.state?.isOpened ? history.back() : go(href(listOf(view)), { replace: true });
  }
}

/* Has epochs stand side by side, or none; of another table, what does is let be. */
function openCompare(epochs) {
  const { no_update: same } = window.dash_clientside;
  if (epochs === null || epochs.length > 0) {
    return [epochs === null ? "" : "follows", same, same, epochs === null ? same : Date.now()];
  }
  return ["", "", true, same];
}

/* Goes to those that are picked, side by side, or to none. */
function compare(open, close, picked) {
  const isClosed = window.dash_clientside.callback_context.triggered_id === "history-compare-close";
  balanceDialogs.focusSoon(isClosed ? "history-compare" : "history-compared-title");
  go(href({ ...parse(location.search), compare: isClosed ? [] : picked }), { replace: true });
}

register({
  openDerivation: opens("derivation-read", () => "How it comes about"),
  openEntry: opens("entry-read", (place) => `Entry ${place}`),
  openOrder: opens("order-record-read", (id) => `Order ${id}`),
  goFromEntry,
  leaveDetails,
  openCompare,
  compare,
  canNotCompare: (picked) => picked.length < 2,
  undoReset: () => void balanceReset.undo(),
});
balanceState.follow(look);
