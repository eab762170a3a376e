/* The list of History: rows that come from a callback, block by block, with all that is said of them. They are as of
 * one revision, so that none moves while somebody reads; what came since is offered at the top.
 */
import { followMoves, go } from "../address.js";
import { followAccount, snapshot } from "../balance.js";
import { onFailure } from "../requests.js";
import { calm, followAddress } from "../screen.js";
import { followSettings } from "../settings/settings.js";
import { write } from "../live.js";
import { pick, setPicked } from "./cells.js";
import { fitting, heights, measure } from "./fit.js";
import { PATH, hrefWith, member } from "./view.js";

const PAUSE_MS = 1000; // between requests for what is new
const BLOCK = 100; // rows that come at once; as in layouts/history.py
const NEWEST_FIRST = ["", "-revision", "-epoch"];
const OVER = { entry: "", order: "" }; // what opens over a list
const set = (id, data) => window.dash_clientside.set_props(id, { data });
const place = (id) => document.getElementById(id);

let isHere = false;
let address = null; // of the list, once the tab was come to
let rows = null; // the address without what stands above them
let list = null; // whose rows the grid has, as the callback is given it
let isOfFields = false; // whether the fields of the filters show it already
let fresh = null; // the revision that the list was as of before it was renewed
let goal = null; // the entry that is gone to: its place, and how many rows are before it
let marked = null;
let known = null; // account and revision that the list was fetched with
let lookedAt = 0;
let timer = null;
let isUnanswered = false;
let wasIndexing = false;
let grid = null; // the grid's own functions, once it is there

const revision = () => snapshot?.revision ?? null;
const version = () => `${snapshot?.account}.${revision()}`;
const isIndexing = () => place("history-words").textContent !== "";
const isWithoutRows = () => !document.querySelector("#history-instead:empty");
const listMember = (name) => new URLSearchParams(list.search).get(name) ?? "";
const columns = () => {
  const all = grid.getGridOption("context");
  return all[listMember("table")] ?? all.ledger;
};
// the block of rows that is under way
const loading = () => Object.values(grid.getCacheBlockState() ?? {}).find((each) => each.pageStatus === "loading");
const isAtNewest = () => grid.getVerticalPixelRange().top < 4 && NEWEST_FIRST.includes(listMember("sort"));

/* Shows what the address says. */
function show() {
  const isComing = !isHere && location.pathname === PATH;
  isHere = location.pathname === PATH;
  // whoever comes back from another tab finds the list as it was left
  if (isComing && location.search === "" && (address ?? PATH) !== PATH) {
    go(address, { replace: true });
    return;
  }
  showOpened();
  if (!isHere) {
    return;
  }
  const { to = null } = history.state ?? {};
  // gone to once: whoever comes back later is not led there again
  to && history.replaceState({}, "");
  address = hrefWith(OVER);
  const next = hrefWith({ ...OVER, compare: "" });
  if (next !== rows || to) {
    rows = next;
    begin(to);
  } else {
    follow();
  }
}

const opened = {};

/* Shows what is open over the list, and which epochs stand side by side over it. */
function showOpened() {
  const isOfEpochs = isHere && member("table") === "epochs";
  place("history-epochs").hidden = !isOfEpochs;
  const compare = isOfEpochs ? member("compare") : null;
  const [entry, order] = ["entry", "order"].map((name) => (isHere && member(name)) || null);
  for (const [name, data] of Object.entries({ entry, order, compare })) {
    opened[name] === data || set(`history-${name}-shown`, (opened[name] = data));
  }
  isOfEpochs && setPicked(compare ? compare.split(",").map(Number).filter(Boolean) : null);
}

/* Has the list be another one. */
function setList(changes) {
  list = { ...list, ...changes };
  set("history-list", list);
}

/* Begins the list that the address says, as of now. While not all is indexed, the newest come as they are found. */
function begin(to = null) {
  const until = isIndexing() && rows === PATH ? null : revision();
  [fresh, goal, marked] = [null, to, to?.place ?? null];
  [known, lookedAt] = [version(), Date.now()];
  // what the fields show is not known as long as they are to be drawn
  const isDrawn = isOfFields && (list?.isOfFields || !loading());
  setList({ search: rows.slice(PATH.length), until, isOfFields: isDrawn, isRedrawn: false });
  grid && requestRows();
}

/* Goes to the list with other filters, which their fields show. */
export function choose(filters) {
  isOfFields = true;
  go(hrefWith(filters), { replace: true });
  isOfFields = false;
}

function requestRows() {
  showColumns();
  // no other rows came yet that are of the list before
  loading()?.startRow === 0 ? requestAgain() : grid.purgeInfiniteCache();
  grid.ensureIndexVisible(0, "top");
}

let looks = ""; // what the grid was last given of its columns, which takes it some 20 ms

/* Has the grid show the columns of the list that there is room for. */
function showColumns() {
  const [rowHeight, headerHeight] = heights();
  const options = { columnDefs: fitting(columns(), listMember("sort")), rowHeight, headerHeight };
  if (JSON.stringify(options) !== looks) {
    looks = JSON.stringify(options);
    grid.updateGridOptions(options);
  }
}

/* Requests the block that is under way once more; the grid is given the newest answer alone. */
function requestAgain() {
  const { startRow, endRow } = loading();
  const getRowsRequest = { startRow, endRow, at: Date.now() };
  window.dash_clientside.set_props("history-grid", { getRowsRequest });
}

/* The first and the last row that are in sight, from 0. */
function range() {
  const { top, bottom } = grid.getVerticalPixelRange();
  const [height] = heights();
  return [Math.round(top / height), Math.min(Math.round(bottom / height), grid.getDisplayedRowCount()) - 1];
}

function showRange() {
  const [first, last] = range().map((each) => (each + 1).toLocaleString("en-US"));
  // the end is not known while not all is indexed
  const total = grid.isLastRowIndexKnown() ? ` of ${grid.getDisplayedRowCount().toLocaleString("en-US")}` : "";
  write(place("history-range"), `Rows ${first}–${last}${total}`);
  place("history-last").disabled = total === "";
}

/* Scrolls by a page, or to an end. */
function scroll(where) {
  const [first, last] = range();
  const end = grid.getDisplayedRowCount() - 1;
  const page = Math.max(1, last - first);
  const goals = { first: 0, previous: first - page, next: first + page, last: end };
  grid.ensureIndexVisible(Math.min(Math.max(goals[where], 0), end), where === "last" ? "bottom" : "top");
}

/* Looks for what came since, or again for what did not come, but not all the time. */
function follow() {
  const isLost = isUnanswered || place("history-again")?.dataset.busy || isIndexing() || wasIndexing;
  const isStale = isHere && grid && list && (known !== version() || isLost);
  if (isStale && timer === null && place("app-shell").dataset.link !== "offline") {
    const wait = PAUSE_MS - (Date.now() - lookedAt);
    timer = setTimeout(() => ((timer = null), isHere && catchUp()), Math.max(0, wait));
  }
}

function catchUp() {
  // nobody knows what the failed request was for
  setList({ isRedrawn: isUnanswered });
  const [isFailed, isIndexed] = [isUnanswered, wasIndexing && !isIndexing()];
  [lookedAt, isUnanswered, wasIndexing] = [Date.now(), false, isIndexing()];
  if (loading()) {
    // what is under way is not started anew, or it would never end where much happens
    isFailed && requestAgain();
  } else if (isIndexed || isWithoutRows()) {
    begin();
    isIndexed && set("history-compare-shown", opened.compare);
  } else if (isFailed || isAtNewest()) {
    renew();
  } else {
    known = version();
    set("history-since", { ...list, at: lookedAt });
    // an order in sight may have ended, and of the epochs those that have not ended change
    ["orders", "epochs"].includes(listMember("table")) && grid.refreshInfiniteCache();
  }
  follow();
}

/* Shows the same list as of now, without losing the place in it. */
function renew() {
  [known, fresh] = [version(), list.until];
  setList({ until: isIndexing() && rows === PATH ? null : revision() });
  grid.refreshInfiniteCache();
}

function flashNew() {
  const rowNodes = [];
  fresh !== null && grid.forEachNode((node) => node.data?.revision > fresh && rowNodes.push(node));
  if (rowNodes.length) {
    fresh = null;
    calm.matches || grid.flashCells({ rowNodes, flashDuration: 300, fadeDuration: 300 });
  }
}

/* Goes on to the entry that is to be gone to, in the blocks of rows as they come. */
function approach() {
  if (goal === null || loading()) {
    return;
  }
  const node = grid.getRowNode(goal.place);
  if (node?.data) {
    goal = null;
    setTimeout(() => focusRow(node.rowIndex));
  } else if (grid.getDisplayedRowAtIndex(goal.offset)?.data) {
    // what came meanwhile may have moved it into the block behind
    const offset = (Math.floor(goal.offset / BLOCK) + 1) * BLOCK;
    goal = goal.isMoved ? null : { ...goal, offset, isMoved: true };
  }
  const seek = ({ offset }) => offset < grid.getDisplayedRowCount() && grid.ensureIndexVisible(offset, "middle");
  goal && setTimeout(seek, 0, goal);
}

function focusRow(index) {
  grid.ensureIndexVisible(index, "middle");
  grid.redrawRows();
  grid.setFocusedCell(index, grid.getAllDisplayedColumns()[0]);
}

/* Opens an entry or an order over the list, or has an epoch compared. */
function open(data) {
  if (data.epoch) {
    pick(data.epoch);
    grid.refreshCells({ columns: ["pick", "card"], force: true });
  } else {
    go(data.link.href, { state: { isOpened: true } });
  }
}

// on the cell of a link the link is meant
function press(data, event) {
  const link = event.target.querySelector("a");
  if (event.key === " " && data.epoch) {
    event.preventDefault(); // it would scroll
    open(data);
  } else if (event.key === "Enter") {
    link ? link.click() : open(data);
  }
}

window.dashAgGridFunctions = {
  ...window.dashAgGridFunctions,
  historyMarked: ({ data }) => data !== undefined && data.id === marked,
  historyClicked: ({ data, event }) => data && !event.target.closest("a") && open(data),
  historyPressed: ({ data, event }) => data && press(data, event),
  historySorted: ({ source }) => {
    const { colId = "", sort } = grid.getColumnState().find((each) => each.sort) ?? {};
    source === "uiColumnSorted" && go(hrefWith({ sort: sort === "desc" ? `-${colId}` : colId }), { replace: true });
  },
  historyMoved: ({ type, api }) => {
    const isNew = grid === null;
    grid = api;
    if (list === null) {
      return;
    }
    (isNew || type === "gridSizeChanged") && showColumns();
    if (type === "modelUpdated") {
      measure(grid, columns()) && showColumns();
      flashNew();
      approach();
      follow();
    }
    showRange();
  },
};

document.addEventListener("click", ({ target }) => {
  const page = target.closest?.("#history-pager button");
  page && scroll(page.id.slice("history-".length));
  target.closest?.("#history-newer, #history-again:not([data-set])") && begin();
});
onFailure(() => {
  isUnanswered = isHere;
  follow();
});
followMoves(show);
followAddress(show);
followAccount(follow);
followSettings((now, before) => now.decimals === before.decimals || grid?.refreshInfiniteCache());
