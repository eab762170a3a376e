/* History: keeps the address, the filters, the rows and the account in step with each other. */
import { balanceAddress } from "../address.js";
import { balanceState } from "../balance.js";
import { register } from "../clientside.js";
import { page } from "../page.js";
import { balanceSettings } from "../settings/settings.js";
import { balanceHistoryFilters } from "./filters.js";
import { balanceHistoryFrame } from "./frame.js";
import { balanceHistoryGrid } from "./grid.js";
import { balanceHistoryEpochs } from "./grid_epochs.js";
import { balanceHistoryRange } from "./range.js";
import { balanceHistoryRequests } from "./requests.js";
import { balanceHistory } from "./view.js";

const { PATH, START, parse, href, same, listOf, rowsOf } = balanceHistory;
const { go } = balanceAddress;
const source = balanceHistoryRequests;
const grid = balanceHistoryGrid;
const frame = balanceHistoryFrame;
const epochs = balanceHistoryEpochs;

const PAUSE_MS = 1000; // between questions for what is new
const INDEXING_MS = 1500;
const NEWEST_FIRST = ["", "-revision", "-epoch"];

let view = null; // what is shown, once the tab was come to
let isHere = false;
let account = null; // account and revision that what is shown was fetched with
let timer = null;
let askedAt = 0;

const place = (id) => document.getElementById(id);
const revision = () => balanceState.snapshot?.revision ?? null;
const version = () => `${balanceState.snapshot?.account}.${revision()}`;
const isIndexing = () => grid.state.index?.is_complete === false;
// while not all is indexed, the newest are to be had only as they are now
const until = () => (isIndexing() && same(rowsOf(view), START) ? null : revision());

/* Goes to another view, in the place of this one unless it is another table. */
function turn(next) {
  go(href(next), { replace: next.table === view.table });
}

function change(changed) {
  // an empty one is none
  turn({ ...view, filters: { ...view.filters, ...changed } });
}

const order = (sort) => turn({ ...view, sort });
const clear = () => turn({ ...view, filters: {} });
// an order that was refused is not requested again
const tryAgain = () => (grid.state.isRefused && view.sort ? order("") : showList());

/* Draws what is known of the rows. */
function drawRows() {
  frame.drawRows(view, grid.state, grid.pin);
  grid.state.isLost && follow();
  if (isIndexing()) {
    grid.pin !== null && until() === null ? grid.show(view, null) : waitForIndex();
  }
}

let indexing = null;

// the list is renewed when all of it is there
function waitForIndex() {
  indexing ??= setTimeout(async () => {
    const [answer] = await source.rows(START, { offset: 0, limit: 1 });
    indexing = null;
    if (!isHere) {
      return;
    }
    if (answer !== null) {
      grid.index = answer.index;
    }
    if (isIndexing()) {
      drawRows();
    } else {
      showList();
      epochs.readCompared();
    }
  }, INDEXING_MS);
}

/* Looks for what came since: at the top of the newest first it is shown at once, elsewhere announced. */
async function catchUp() {
  askedAt = Date.now();
  if (grid.isBusy) {
    // what is under way is not started anew, or it would never end where much happens
    follow();
    return;
  }
  account = version();
  const isLost = grid.state.isLost || grid.state.problem !== "" || grid.state.total === 0;
  const isAtNewest = grid.isAtTop() && NEWEST_FIRST.includes(view.sort);
  // of the epochs those that have not ended change, and the list only by a new one
  const isOfEpochs = view.table === "epochs";
  isOfEpochs && epochs.refresh();
  if (isLost || (isAtNewest && !isOfEpochs)) {
    renew();
    return;
  }
  const [shown, pin] = [view, grid.pin];
  const number = pin === null ? null : await source.newer(shown, pin);
  if (shown === view && pin === grid.pin && number !== null) {
    isAtNewest && number > 0 ? renew() : frame.drawNewer(view, number);
    // an order in sight may have ended
    view.table === "orders" && grid.renew(pin);
  }
}

function renew() {
  frame.drawNewer(view, 0);
  grid.renew(until());
}

function follow() {
  const isStale = isHere && view !== null && (account !== version() || grid.state.isLost);
  const isOffline = place("app-shell").dataset.link === "offline";
  if (isStale && !isOffline && timer === null) {
    const wait = PAUSE_MS - (Date.now() - askedAt);
    timer = setTimeout(() => ((timer = null), isHere && catchUp()), Math.max(0, wait));
  }
}

function showList(to = null) {
  [account, askedAt] = [version(), Date.now()];
  frame.drawNewer(view, 0);
  grid.show(view, until(), to);
}

let isFollowing = false;

// money is written with another number of decimals then
function followSettings() {
  if (isFollowing) {
    return;
  }
  isFollowing = true;
  balanceSettings.follow((now, before) => {
    if (view !== null && now.decimals !== before.decimals) {
      grid.renew(grid.pin);
      epochs.readCompared();
    }
  });
}

/* Shows what the address says, when the tab is come to and whenever the address changes. */
function look() {
  const cameHere = !isHere;
  isHere = location.pathname === PATH;
  if (!isHere) {
    openOnly(null);
    return window.dash_clientside.no_update;
  }
  followSettings();
  // whoever comes back from another tab finds the list as it was left
  if (cameHere && view !== null && location.search === "" && !same(listOf(view), START)) {
    go(href(listOf(view)), { replace: true });
    return window.dash_clientside.no_update;
  }
  show(parse(location.search), history.state?.to ?? null);
  return window.dash_clientside.no_update;
}

function show(next, to) {
  const isOther = view === null || to !== null || !same(rowsOf(view), rowsOf(next));
  view = next;
  // gone to once: whoever comes back later is not led there again
  to && history.replaceState({}, "");
  frame.draw(view);
  epochs.show(view);
  isOther ? showList(to) : follow();
  drawRows();
  openOnly(view);
}

const opened = { entry: null, order: null };

/* Has what a view has open over its list shown, and what it has not closed. */
function openOnly(of) {
  for (const name of Object.keys(opened)) {
    const now = of?.[name] ?? null;
    if (now !== opened[name]) {
      opened[name] = now;
      window.dash_clientside.set_props(`history-${name}-shown`, { data: now });
    }
  }
}

/* Opens an entry or an order over the list, or has an epoch compared. */
function choose(row) {
  if (view.table === "epochs") {
    epochs.pick(row);
  } else {
    const what = view.table === "orders" ? { order: row.id } : { entry: row.place };
    go(href({ ...view, ...what }), { state: { isOpened: true } });
  }
}

document.addEventListener("click", ({ target }) => {
  const page = target.closest?.("#history-pager button");
  if (page) {
    balanceHistoryRange.scroll(page.id.slice("history-".length));
  } else if (target.closest?.("#history-newer")) {
    showList();
  }
});
grid.follow(drawRows, choose, order);
balanceHistoryFilters.follow(change, order);
balanceState.follow(follow);
export const balanceHistoryScreen = {
  clear,
  tryAgain,
  get view() {
    return view;
  },
};
register({ chooseHistory: look });
page.balanceHistoryScreen = balanceHistoryScreen;
