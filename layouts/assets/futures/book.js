/* The tables of the Futures tab, of which one is shown. Their rows come from the snapshot whenever the
 * account changes; in between, live texts in their cells follow the prices.
 */
import { at } from "../address.js";
import { followAccount, snapshot } from "../balance.js";
import { register } from "../clientside.js";
import { explain, rowsOf } from "../live.js";
import { fetchJson } from "../requests.js";
import { setting } from "../settings/settings.js";
import "./cells.js";

const BOOKS = ["positions", "orders", "fills"];
const FILLS = 100;
const NARROW = window.matchMedia("(max-width: 768px)");
const RETRY_MS = 100;
const DIGIT_PX = 7;

let book = "positions";
let path = null;
let fills = { version: null, rows: [], problem: "" };
let retry = null;

const place = (name) => document.getElementById(`futures-${name}`);

function grid(name) {
  try {
    return window.dash_ag_grid?.getApi(`futures-${name}-grid`);
  } catch {
    return undefined; // it is not there yet
  }
}

/* Has a table fit its screen and what is shown in it: columns, wide enough for the decimals of money, or on
 * a phone cards. */
function dress(api) {
  const decimals = setting("decimals");
  const form = NARROW.matches ? "cards" : "table";
  if (api.deskForm === form + decimals) {
    return;
  }
  api.deskForm ?? api.addEventListener("sortChanged", draw);
  api.deskForm = form + decimals;
  const [rowHeight, headerHeight] = api.getGridOption("context").heights[form];
  const columnDefs = api.getColumnDefs().map((column) => ({
    ...column,
    hide: (column.colId === "card") !== NARROW.matches,
    minWidth: column.context ? column.context.least + DIGIT_PX * (decimals - 2) : column.minWidth,
  }));
  api.updateGridOptions({ columnDefs, rowHeight, headerHeight });
  api.resetRowHeights();
}

/* Whether a figure that a table is sorted by is another one in `rows`, which are those that it has. */
function isMoved(api, rows) {
  const shown = api.getGridOption("rowData") ?? [];
  const sorted = api.getColumnState().filter(({ sort }) => sort);
  return sorted.some(({ colId }) => rows.some((row, at) => row[colId] !== shown[at]?.[colId]));
}

/* Gives a table its `rows`, which are as they were where their `version` is: whether it is there. */
function give(name, rows, version) {
  const api = grid(name);
  if (api === undefined || api.isDestroyed()) {
    return false;
  }
  dress(api);
  if (api.deskVersion !== version || isMoved(api, rows)) {
    api.deskVersion = version;
    api.setGridOption("rowData", rows);
  }
  return true;
}

/* Shows why there are no rows: there are none, or a `problem` keeps them from being read. */
function showEmpty(isEmpty, problem) {
  for (const name of BOOKS) {
    place(name).hidden = isEmpty || name !== book;
    place(`${name}-empty`).hidden = name !== book || problem !== "";
  }
  place("book-empty").hidden = !isEmpty;
  explain(place("book-problem"), problem);
}

async function readFills(version) {
  fills.version = version;
  const [answer, problem, status] = await fetchJson(`/fills?limit=${FILLS}`);
  // what was requested since is newer
  if (fills.version === version) {
    // the strip over the tabs says that the server is gone
    fills = status === null ? { ...fills, version: null } : { version, rows: answer?.fills ?? [], problem };
    status === null || draw();
  }
}

const counted = (what, { length }) => (length === 1 ? `1 ${what}` : `${length} ${what}s`);

/* Draws the table that is shown; a grid takes a moment to come into the page. */
function draw() {
  clearTimeout(retry);
  if (snapshot === null || path !== at("/futures")) {
    return;
  }
  const { account, revision, positions, open_orders: orders } = snapshot;
  // the same rows are written another way with other decimals
  let version = `${account}.${revision}.${setting("decimals")}`;
  if (book === "fills") {
    // a line of the ledger that is damaged, or mended, may be a fill
    version += `.${[...rowsOf("damage").keys()]}`;
    fills.version === version || readFills(version);
  }
  const rows = { positions, orders, fills: fills.rows }[book];
  place("cancel-all").dataset.ask = `Cancel ${counted("order", orders)}?`;
  place("close-all").dataset.ask = `Close ${counted("position", positions)} at market?`;
  place("cancel-all").hidden = book !== "orders" || rows.length === 0;
  place("close-all").hidden = book !== "positions" || rows.length === 0;
  showEmpty(rows.length === 0, book === "fills" ? fills.problem : "");
  if (!give(book, rows, book === "fills" ? rows : version)) {
    retry = setTimeout(draw, RETRY_MS);
  }
}

/* Shows another of the three tables, or the present one when the tab is come to. */
function chooseBook(name, address) {
  [book, path] = [name, address];
  draw();
  return window.dash_clientside.no_update;
}

followAccount(draw);
NARROW.addEventListener("change", draw);
register({ chooseBook });
