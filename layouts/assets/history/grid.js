/* The grid of History: blocks of rows, fetched as they are scrolled to. What it lists stays as it was at
 * one revision, so that no row moves while somebody reads; what came since is requested.
 */
import { balanceHistoryChoices } from "./choices.js";
import { balanceHistoryFit } from "./fit.js";
import { balanceHistoryRequests } from "./requests.js";
import { balanceScrollTo } from "./scroll_to.js";
import { balanceHistory } from "./view.js";

const { START } = balanceHistory;
const fit = balanceHistoryFit;
const source = balanceHistoryRequests;
const goal = balanceScrollTo;

const BLOCK = 100;
const FLASH = { flashDuration: 300, fadeDuration: 300 };
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

const UNHARMED = { problem: "", isRefused: false, isLost: false };
const PASSING = 503; // what is refused so is requested again

let view = START;
let question = new AbortController(); // of what is to be shown: only its answers count
let underway = 0; // how many blocks are being fetched
let pin = null; // the revision that the list is as of; null: as of now
let fresh = null; // the revision that the list was as of before it was renewed
let state = { total: null, index: null, ...UNHARMED, isLoaded: false };
let api = null;
let notify = () => {};
let chosen = () => {};
let sorted = () => {};

// the grid, once Dash has given it a source of its own, which it does some time after it made it
function found() {
  try {
    const made = window.dash_ag_grid?.getApi("history-grid");
    return made?.isDestroyed() || !made?.getGridOption("datasource") ? undefined : made;
  } catch {
    return undefined; // it is not there yet
  }
}

function fail(words, status) {
  const isLost = words === null || status === PASSING;
  state = { ...state, problem: words ?? "", isRefused: !isLost, isLost };
  notify();
}

// how many rows there are, where that is known
function lastRow({ rows, total }, start) {
  return total ?? (rows.length < BLOCK ? start + rows.length : undefined);
}

/* Takes a block of rows in; the first one tells how many there are. */
function take(answer, start) {
  const { rows, total, index } = answer;
  const isEmpty = start === 0 && rows.length === 0;
  state = { total: isEmpty ? 0 : total, index, ...UNHARMED, isLoaded: true };
  balanceHistoryChoices.learn(rows);
  fit.widen(api, view, rows);
  notify();
}

async function getRows({ startRow, successCallback, failCallback }) {
  const { signal: superseded } = question;
  const how = { until: pin, offset: startRow, limit: BLOCK, sort: view.sort, superseded };
  underway += 1;
  const [answer, words, status] = await source.rows(view, how);
  underway -= 1;
  if (superseded.aborted || answer === null) {
    failCallback();
    superseded.aborted || fail(words, status);
    return;
  }
  take(answer, startRow);
  successCallback(answer.rows, lastRow(answer, startRow));
  startRow === 0 && flashNew();
  goal.approach(api, startRow, answer.rows, BLOCK);
}

function flashNew() {
  const since = fresh;
  fresh = null;
  if (since === null || calm.matches) {
    return;
  }
  const rowNodes = [];
  api.forEachNode((node) => node.data?.revision > since && rowNodes.push(node));
  rowNodes.length && api.flashCells({ rowNodes, ...FLASH });
}

function listen() {
  const isLink = ({ target }) => target.closest("a.elsewhere") !== null;
  api.addEventListener("rowClicked", ({ data, event }) => data && !isLink(event) && chosen(data));
  api.addEventListener("cellKeyDown", ({ data, event }) => data && press(data, event));
  api.addEventListener("sortChanged", ({ source: by }) => {
    by === "uiColumnSorted" && sorted(sortAsked());
  });
  for (const event of ["bodyScroll", "modelUpdated", "gridSizeChanged"]) {
    api.addEventListener(event, () => notify());
  }
  api.addEventListener("gridSizeChanged", () => fit.renew(api, view));
}

// on the cell of a link that leads elsewhere the link is meant
function press(data, event) {
  const link = event.target.querySelector("a.elsewhere");
  const isOfBox = event.key === " " && view.table === "epochs";
  isOfBox && event.preventDefault(); // it would scroll
  if (isOfBox || event.key === "Enter") {
    link ? link.click() : chosen(data);
  }
}

function sortAsked() {
  const column = api.getColumnState().find(({ sort }) => sort);
  return column ? `${column.sort === "desc" ? "-" : ""}${column.colId}` : "";
}

// the answer to an earlier request is no longer waited for
function begin() {
  question.abort();
  question = new AbortController();
}

/* Shows a view as of the revision `until`. */
function show(next, until, to = null) {
  begin();
  next.table === view.table || fit.forget();
  // what is tried again has its problem until it is known to be gone
  state = { ...state, total: null, ...(next !== view && UNHARMED), isLoaded: false };
  [view, pin, fresh] = [next, until, null];
  goal.set(to);
  notify();
  cancelAnimationFrame(coming);
  give();
}

let coming = null;

// the grid takes a moment to come into the page
function give() {
  api = found();
  if (api === undefined) {
    coming = requestAnimationFrame(give);
    return;
  }
  api.historyListens || listen();
  api.historyListens = true;
  fit.apply(api, view);
  api.setGridOption("datasource", { getRows });
  fit.applyHeights(api);
  api.ensureIndexVisible(0, "top");
}

/* Shows the same view as of the revision `until`, without losing the place in it. */
function renew(until) {
  if (!api || !state.isLoaded || state.total === 0) {
    show(view, until);
    return;
  }
  begin();
  [fresh, pin] = [pin, until];
  api.refreshInfiniteCache();
}

function isAtTop() {
  return api ? api.getVerticalPixelRange().top < 4 : true;
}

window.dashAgGridFunctions = {
  ...window.dashAgGridFunctions,
  historyLoading: ({ data }) => data === undefined,
};
export const balanceHistoryGrid = {
  show,
  renew,
  isAtTop,
  get api() {
    return api;
  },
  get isBusy() {
    return underway > 0;
  },
  get state() {
    return state;
  },
  set index(index) {
    state = { ...state, index };
  },
  get pin() {
    return pin;
  },
  /* Has `tell` called whenever what is listed or in sight changed, `choose` with a row, and `sort` with
   * the order that was chosen. */
  follow(tell, choose, sort) {
    [notify, chosen, sorted] = [tell, choose, sort];
  },
};
