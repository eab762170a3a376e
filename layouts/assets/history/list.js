/* The list of History: rows that come from a callback, block by block. They are as of one revision, so that
 * none moves while somebody reads; what came since is shown at the top, and announced elsewhere.
 */
import { at, go } from "../address.js";
import { followAccount, snapshot } from "../balance.js";
import { register } from "../clientside.js";
import { explain, write } from "../live.js";
import { followSettings } from "../settings/settings.js";
import { onFailure } from "../requests.js";
import { pick, setPicked } from "./cells.js";
import { fitting, forget, heights, measure } from "./fit.js";
import { PATH, START, href, listOf, parse, queryOf, rowsOf, same } from "./view.js";

const PAUSE_MS = 1000; // between questions for what is new
const INDEXING_MS = 1500;
const BLOCK = 100; // rows that come at once
const NEWEST_FIRST = ["", "-revision", "-epoch"];
const FLASH = { flashDuration: 300, fadeDuration: 300 };
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const none = () => window.dash_clientside.no_update;
const set = (id, data) => window.dash_clientside.set_props(id, { data });
const place = (id) => document.getElementById(id);

let view = null; // what the address says, once the tab was come to
let isHere = false;
let list = null; // whose rows the grid has, as the callback is given it
let columns = null; // of all lists, once the grid is there
let found = {}; // what the newest answers say of the list
let fresh = null; // the revision that the list was as of before it was renewed
let goal = null; // the entry that is gone to: its place, and how many rows are before it
let marked = null;
let known = null; // account and revision that the list was fetched with
let lookedAt = 0;
let timer = null;
let isUnanswered = false;

let grid = null; // the grid's own functions, once it is there
const api = () => grid;
const revision = () => snapshot?.revision ?? null;
const version = () => `${snapshot?.account}.${revision()}`;
// the block of rows that is under way
const loading = () => Object.values(api()?.getCacheBlockState() ?? {}).find((each) => each.pageStatus === "loading");
const isAtTop = () => (api()?.getVerticalPixelRange().top ?? 0) < 4;
const isAtNewest = () => isAtTop() && NEWEST_FIRST.includes(view.sort);

/* What the address says: the view for what stands around the list, whose filters, and the list itself. */
function chooseHistory() {
  const cameHere = !isHere;
  isHere = location.pathname === PATH;
  if (!isHere) {
    showOpened(START);
    return [none(), none(), none()];
  }
  // whoever comes back from another tab finds the list as it was left
  if (cameHere && view !== null && location.search === "" && !same(listOf(view), START)) {
    go(href(listOf(view)), { replace: true });
    return [none(), none(), none()];
  }
  const [before, to] = [view, history.state?.to ?? null];
  view = parse(location.search);
  // gone to once: whoever comes back later is not led there again
  to && history.replaceState({}, "");
  showOpened(view);
  const isOther = before === null || to !== null || !same(rowsOf(before), rowsOf(view));
  isOther ? begin(to) : follow();
  const isRedrawn = before === null || !same(listOf(before), listOf(view));
  const isOtherTable = before?.table !== view.table;
  return [isRedrawn ? listOf(view) : none(), isOtherTable ? view.table : none(), isOther ? list : none()];
}

const opened = {};

/* What is open over the list of a view, and which epochs stand side by side over it. */
function showOpened({ table, entry, order, compare }) {
  const isOfEpochs = isHere && table === "epochs";
  place("history-epochs").hidden = !isOfEpochs;
  const shown = { entry, order, compare: isOfEpochs ? compare : null };
  for (const [name, data] of Object.entries(shown)) {
    if (String(opened[name]) !== String(data)) {
      opened[name] = data;
      set(`history-${name}-shown`, data);
    }
  }
  isOfEpochs && setPicked(compare.length ? compare : null);
}

/* Begins a list as of now. While not all is indexed, the newest are to be had only as they come. */
function begin(to = null) {
  const isWhole = !found.indexing || !same(rowsOf(view), START);
  const { table, filters, sort } = view;
  const number = (list?.number ?? 0) + 1;
  list = { table, filters, sort, until: isWhole ? revision() : null, number };
  [fresh, goal, marked] = [null, to, to?.place ?? null];
  [known, lookedAt] = [version(), Date.now()];
  // what is tried again has its problem until it is known to be gone
  const { problem, indexing } = found;
  found = { problem, indexing };
}

const restart = () => (begin(), set("history-list", list));

/* Has the grid show the columns of the list that there is room for. */
function showColumns() {
  const [rowHeight, headerHeight] = heights();
  api().setGridOption("columnDefs", fitting(columns[list.table], list.sort));
  api().setGridOption("headerHeight", headerHeight);
  api().getGridOption("rowHeight") === rowHeight || api().setGridOption("rowHeight", rowHeight);
}

/* Requests the block that is under way once more; the grid is given the newest answer alone. */
function requestAgain() {
  const { startRow, endRow } = loading();
  const getRowsRequest = { startRow, endRow, at: Date.now() };
  window.dash_clientside.set_props("history-grid", { getRowsRequest });
}

let listed = null; // the number of the list that the grid has

/* Has the grid ask for the rows of another list; of the same one up to a later revision, it shows those that it
 * has until the others are there.
 */
function listHistory(next, all) {
  const isOther = next.number !== listed;
  [listed, isUnanswered] = [next.number, false];
  isOther && forget();
  if (columns === null) {
    columns = all;
    followSettings((now, before) => now.decimals === before.decimals || api()?.refreshInfiniteCache());
    return fitting(columns[next.table], next.sort);
  }
  if (isOther) {
    showColumns();
    // no other rows came yet that are of the list before
    loading()?.startRow === 0 ? requestAgain() : api().purgeInfiniteCache();
    api().ensureIndexVisible(0, "top");
  } else {
    api().refreshInfiniteCache();
  }
  return none();
}

/* Shows what an answer says of the list, and what came since. */
function describeHistory(answer, newer) {
  const [{ prop_id: by }] = window.dash_clientside.callback_context.triggered;
  const isOfNews = by.startsWith("history-newer");
  const given = isOfNews ? newer : answer;
  if (list === null || given.number !== list.number) {
    return none();
  }
  const wasIndexing = Boolean(found.indexing);
  found = isOfNews ? { ...found, indexing: newer.indexing, newer } : { ...found, ...answer };
  if (wasIndexing && !found.indexing) {
    // the list is renewed when all of it is there
    restart();
    set("history-compare-shown", opened.compare);
  } else if (found.indexing && list.until !== null && same(rowsOf(view), START)) {
    restart();
  } else if (newerCount() > 0 && isAtNewest()) {
    renew();
  }
  found.indexing && setTimeout(askForNews, INDEXING_MS);
  found.problem && !found.is_refused && follow();
  draw();
  return none();
}

const isNewerKnown = () => list.until !== null && found.newer?.until === list.until;
const newerCount = () => (isNewerKnown() ? found.newer.count : 0);
const askForNews = () => isHere && set("history-since", { ...list, at: Date.now() });

/* Draws what is said of the list, and what stands in the place of its rows. */
function draw() {
  const { total, problem, indexing } = found;
  const isEmpty = !problem && total === 0;
  const shown = { "history-rows": !problem && !isEmpty, "history-problem": Boolean(problem) };
  shown["history-none"] = isEmpty && !indexing;
  shown["history-none-yet"] = isEmpty && Boolean(indexing);
  shown["history-newer"] = newerCount() > 0;
  for (const [id, isShown] of Object.entries(shown)) {
    place(id)?.toggleAttribute("hidden", !isShown);
  }
  const isList = shown["history-rows"];
  place("history-pager").classList.toggle("without-rows", !isList);
  // the end is not known while not all is indexed
  place("history-last").disabled = total === null;
  write(place("history-newer"), found.newer?.text ?? "");
  explain(place("history-problem-text"), problem ?? "");
  write(place("history-words"), indexing ?? "");
  write(place("history-range"), isList ? rangeText() : "");
  const { table, filters, sort, until } = list;
  const least = Math.min(...[filters.until, until].filter(Boolean));
  for (const format of ["csv", "json"]) {
    const query = queryOf({ ...filters, until: Number.isFinite(least) ? least : "", sort, format });
    place(`history-${format}`).setAttribute("href", at(`/history/${table}?${query}`));
  }
}

/* The first and the last row that are in sight, from 0. */
function range() {
  const { top, bottom } = api().getVerticalPixelRange();
  const [height] = heights();
  return [Math.round(top / height), Math.min(Math.round(bottom / height), api().getDisplayedRowCount()) - 1];
}

function rangeText() {
  if (!api() || found.total === undefined) {
    return "";
  }
  const [first, last] = range().map((each) => (each + 1).toLocaleString("en-US"));
  return `Rows ${first}–${last}${found.total === null ? "" : ` of ${found.total.toLocaleString("en-US")}`}`;
}

/* Scrolls by a page, or to an end. */
function scroll(where) {
  const [first, last] = range();
  const end = (found.total ?? api().getDisplayedRowCount()) - 1;
  const page = Math.max(1, last - first);
  const goals = { first: 0, previous: first - page, next: first + page, last: end };
  const index = Math.min(Math.max(goals[where], 0), end);
  api().ensureIndexVisible(index, where === "last" ? "bottom" : "top");
}

/* Looks for what came since, or again for what did not come, but not all the time. */
function follow() {
  const isLost = isUnanswered || (found.problem && !found.is_refused);
  const isStale = isHere && list !== null && api() && (known !== version() || isLost);
  if (isStale && timer === null && place("app-shell").dataset.link !== "offline") {
    const wait = PAUSE_MS - (Date.now() - lookedAt);
    timer = setTimeout(() => ((timer = null), isHere && catchUp()), Math.max(0, wait));
  }
}

/* Has what stands around the list drawn again: nobody knows what the failed request was for. */
function drawAgain() {
  const { table } = document.querySelector(".history-fields")?.dataset ?? {};
  table === view.table || set("history-table", view.table);
  set("history-view", listOf(view));
}

function catchUp() {
  const wasUnanswered = isUnanswered;
  [lookedAt, isUnanswered] = [Date.now(), false];
  wasUnanswered && drawAgain();
  if (loading()) {
    // what is under way is not started anew, or it would never end where much happens
    wasUnanswered && requestAgain();
    follow();
    return;
  }
  const { table } = list;
  known = version();
  if (found.problem || !found.total || (isAtNewest() && table !== "epochs")) {
    renew();
    return;
  }
  askForNews();
  // an order in sight may have ended, and of the epochs those that have not ended change
  (table === "orders" || table === "epochs") && api().refreshInfiniteCache();
}

/* Shows the same list as of now, without losing the place in it. */
function renew() {
  if (found.problem || !found.total) {
    restart();
    return;
  }
  fresh = list.until;
  list = { ...list, until: found.indexing && same(rowsOf(view), START) ? null : revision() };
  set("history-list", list);
}

function flashNew() {
  const rowNodes = [];
  fresh !== null && api().forEachNode((node) => node.data?.revision > fresh && rowNodes.push(node));
  if (rowNodes.length) {
    fresh = null;
    calm.matches || api().flashCells({ rowNodes, ...FLASH });
  }
}

/* Goes on to the entry that is to be gone to, in the blocks of rows as they come. */
function approach() {
  if (goal === null || loading()) {
    return;
  }
  const node = api().getRowNode(goal.place);
  if (node?.data) {
    goal = null;
    setTimeout(() => focusRow(node.rowIndex));
    return;
  }
  if (api().getDisplayedRowAtIndex(goal.offset)?.data) {
    // what came meanwhile may have moved it into the block behind
    const offset = (Math.floor(goal.offset / BLOCK) + 1) * BLOCK;
    goal = goal.isMoved ? null : { ...goal, offset, isMoved: true };
  }
  goal && setTimeout(seek, 0, goal.offset);
}

function seek(offset) {
  offset < api().getDisplayedRowCount() && api().ensureIndexVisible(offset, "middle");
}

function focusRow(index) {
  api().ensureIndexVisible(index, "middle");
  api().redrawRows();
  api().setFocusedCell(index, api().getAllDisplayedColumns()[0]);
}

/* Opens an entry or an order over the list, or has an epoch compared. */
function choose(data) {
  if (data.epoch) {
    pick(data.epoch);
    api().refreshCells({ columns: ["pick", "card"], force: true });
  } else {
    go(href({ ...view, ...data.opens }), { state: { isOpened: true } });
  }
}

// on the cell of a link that leads elsewhere the link is meant
function press(data, event) {
  const link = event.target.querySelector("a.elsewhere");
  const isOfBox = event.key === " " && data.epoch;
  isOfBox && event.preventDefault(); // it would scroll
  if (isOfBox || event.key === "Enter") {
    link ? link.click() : choose(data);
  }
}

const sortOf = (column) => (column ? `${column.sort === "desc" ? "-" : ""}${column.colId}` : "");

window.dashAgGridFunctions = {
  ...window.dashAgGridFunctions,
  historyMarked: ({ data }) => data !== undefined && data.id === marked,
  historyClicked: ({ data, event }) => data && !event.target.closest("a.elsewhere") && choose(data),
  historyPressed: ({ data, event }) => data && press(data, event),
  historySorted: ({ source }) => {
    const sort = sortOf(api().getColumnState().find((each) => each.sort));
    source === "uiColumnSorted" && go(href({ ...view, sort }), { replace: true });
  },
  historyResized: ({ api: own }) => ((grid = own), columns && showColumns()),
  historyMoved: ({ type, api: own }) => {
    grid = own;
    if (columns === null) {
      return;
    }
    if (type === "modelUpdated") {
      measure(api(), columns[list.table]) && showColumns();
      flashNew();
      approach();
    }
    draw();
  },
};

document.addEventListener("click", ({ target }) => {
  const { id } = target.closest?.("#history-panel button") ?? {};
  if (target.closest?.("#history-pager button")) {
    scroll(id.slice("history-".length));
  } else if (id === "history-newer") {
    restart();
  } else if (id === "history-again") {
    // an order that was refused is not requested again
    found.is_refused && view.sort ? go(href({ ...view, sort: "" }), { replace: true }) : restart();
  }
});
onFailure(() => {
  isUnanswered = isHere;
  follow();
});
followAccount(follow);
register({ chooseHistory, listHistory, describeHistory });
