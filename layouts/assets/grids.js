/* The tables of the Futures tab. Their rows come from the snapshot: what did not change is not
 * touched, so sort order, scroll position and selection stay as they are.
 */
import { balanceAddress } from "./address.js";
import { balanceAmend } from "./amend.js";
import { balanceState } from "./balance.js";
import { balanceCards } from "./cards.js";
import { register } from "./clientside.js";
import { balanceDamage } from "./damage.js";
import { balanceLive } from "./live.js";
import { balanceParts } from "./parts.js";
import { balanceRequests } from "./requests.js";
import { balanceSettings } from "./settings/settings.js";
import { balanceTables } from "./tables.js";
import { balanceTrade } from "./trade.js";

const FILLS = 100;
const NONE = "–";
const NARROW = window.matchMedia("(max-width: 768px)");
const HEIGHTS = { positions: 48, orders: 48, fills: 36, header: 32 };
const EMPTY = {
  positions: [
    "bi-graph-up-arrow",
    "No open positions",
    "Choose a side and a size in the ticket above. The position is listed here with its profit or loss.",
  ],
  orders: [
    "bi-list-check",
    "No open orders",
    "A limit, stop or take-profit order waits here until its price comes, with the margin it keeps back.",
  ],
  fills: [
    "bi-receipt",
    "No fills yet",
    "Each order that fills is listed here with its price, its fee and what it realised.",
  ],
};

let book = "positions";
let path = null;
let fills = { version: null, rows: [], problem: "", latest: 0 };

// money, which takes more room with more decimals
const MONEY = ["unrealized_pnl", "isolated_margin", "reserved_margin", "fee", "realized_pnl"];
const DIGIT_PX = 7;

const grid = (name) => {
  try {
    return window.dash_ag_grid?.getApi(`futures-${name}-grid`);
  } catch {
    return undefined; // it is not there yet
  }
};

/* The columns with those of money wide enough for the decimals that it is shown with. */
function widened(columns) {
  const more = DIGIT_PX * (balanceSettings.all.decimals - 2);
  return columns.map((each) => ({
    ...each,
    ...(MONEY.includes(each.field) && { minWidth: each.minWidth + more }),
    // what is below may have changed where the figure above has not
    ...(each.cellRenderer === "RowPair" && { equals: () => false }),
  }));
}

/* Has a table fit its screen and what is shown in it: columns, or on a phone cards. */
function dress(api, name) {
  const { decimals } = balanceSettings.all;
  const dress = NARROW.matches ? "cards" : decimals;
  if (api.deskDress === dress) {
    return;
  }
  api.deskDress = dress;
  api.deskColumns ??= api.getColumnDefs();
  const cards = balanceCards;
  api.setGridOption("columnDefs", NARROW.matches ? cards.columns(name) : widened(api.deskColumns));
  api.setGridOption("headerHeight", NARROW.matches ? 0 : HEIGHTS.header);
  api.setGridOption("rowHeight", NARROW.matches ? cards.height(name) : HEIGHTS[name]);
  api.resetRowHeights();
}

function give(name, rows) {
  const api = grid(name);
  if (api === undefined || api.isDestroyed()) {
    return false;
  }
  dress(api, name);
  api.setGridOption("rowData", rows);
  return true;
}

/* Says why there are no rows: there are none, or a `problem` keeps them from being read. */
function showEmpty(name, isEmpty, problem) {
  const place = document.getElementById("futures-book-empty");
  document.getElementById(`futures-${name}`).hidden = isEmpty;
  place.hidden = !isEmpty;
  if (isEmpty && place.dataset.book !== name + problem) {
    place.dataset.book = name + problem;
    place.replaceChildren(
      problem
        ? balanceParts.problem(problem)
        : balanceTables.emptyState(EMPTY[name]),
    );
  }
}

async function readFills(version) {
  const number = ++fills.latest;
  const [answer, problem, status] = await balanceRequests.fetchJson(`/fills?limit=${FILLS}`);
  // the strip over the tabs says that the server is gone
  if (status !== null && number === fills.latest) {
    fills = { ...fills, version, rows: answer?.fills ?? [], problem };
    draw();
  }
}

function rowsOf({ positions, open_orders: orders }) {
  return { positions, orders, fills: fills.rows }[book];
}

let retry = null;

/* Draws the table that is shown; a grid takes a moment to come into the page. */
function draw() {
  const { snapshot } = balanceState;
  clearTimeout(retry);
  if (snapshot === null || path !== balanceAddress.at("/futures")) {
    return;
  }
  // the same fills are written another way with other decimals
  const { decimals } = balanceSettings.all;
  const version = `${snapshot.account}.${snapshot.revision}.${decimals}.${balanceDamage.known}`;
  if (book === "fills" && fills.version !== version) {
    readFills(version);
  }
  const rows = rowsOf(snapshot);
  const cancelAll = document.getElementById("futures-cancel-all");
  cancelAll.hidden = book !== "orders" || rows.length === 0;
  document.getElementById("futures-close-all").hidden = book !== "positions" || rows.length === 0;
  showEmpty(book, rows.length === 0, book === "fills" ? fills.problem : "");
  if (!give(book, rows)) {
    retry = setTimeout(draw, 100);
  }
}

/* Shows another of the three tables, or the present one when the tab is come to. */
function choose(name, address) {
  [book, path] = [name, address];
  for (const each of ["positions", "orders", "fills"]) {
    document.getElementById(`futures-${each}`).hidden = each !== name;
  }
  draw();
  return window.dash_clientside.no_update;
}

// the buttons of a cell are reached with the Tab key, as any others
const KEYS = ["Tab", "Enter", " "];

window.dashAgGridFunctions = {
  ...window.dashAgGridFunctions,
  deskText: ({ data, colDef }) => data?.display[colDef.field] ?? "",
  deskTone: ({ data, colDef }) => [
    "ag-right-aligned-cell",
    balanceLive.tone(data?.display[colDef.field]),
  ],
  // all that the second line may have no room for; of an OCO, the order that it cancels
  deskTerms: ({ data: { display } }) => [display.details, display.group].filter(Boolean).join(". "),
  deskMoment: ({ value }) => (value ? `${value.slice(5, 10)} ${value.slice(11, 19)}` : ""),
  // the arrows go from cell to cell; Tab goes on to the buttons of the row, or out of the table
  deskTab: ({ api, backwards, nextCellPosition, previousCellPosition }) => {
    const column = api.getColumn("actions");
    if (backwards) {
      return nextCellPosition ?? false;
    }
    return column === null ? false : { ...previousCellPosition, column };
  },
  deskKeys: ({ event }) => KEYS.includes(event.key),
};

/* Two figures of a row, one below the other. */
function RowPair({ data: { display }, above, below }) {
  const own = display[above];
  const other = display[below] === NONE ? "" : display[below];
  const [first, second] = below ? [own, other] : exits(own);
  const line = (text) => React.createElement("div", {}, text);
  return React.createElement(
    "div",
    { className: "row-pair" },
    line(first),
    second && " ",
    second && line(second),
  );
}

// "41,000.00 / –" as what there is of it
function exits(text) {
  const [profit, loss] = text.split(" / ");
  const known = [["TP", profit], ["SL", loss]].filter(([, price]) => price && price !== NONE);
  return known.length ? known.map((each) => each.join(" ")) : [NONE];
}

function action(words, label, run, danger = false) {
  return React.createElement(
    "button",
    {
      type: "button",
      className: `btn btn-sm btn-outline-${danger ? "danger" : "secondary"}`,
      "aria-label": label,
      title: label,
      onClick: run,
    },
    words,
  );
}

function PositionActions({ data: { symbol, display } }) {
  const trade = balanceTrade;
  const what = `${display.side.toLowerCase()} ${symbol}`;
  return React.createElement(
    "div",
    { className: "row-actions" },
    action("Close", `Close all of the ${what} at market`, () => trade.close(symbol, 100)),
    action("Half", `Close half of the ${what} at market`, () => trade.close(symbol, 50)),
    action("Edit…", `Edit… the ${what}: close a part, take-profit and stop-loss`, () =>
      trade.edit(symbol),
    ),
  );
}

function OrderActions({ data: { id, display } }) {
  const what = `${display.side} ${display.quantity} ${display.symbol} ${display.type}`;
  const both = display.group && ", and the other order of its OCO";
  return React.createElement(
    "div",
    { className: "row-actions" },
    action("Cancel", `Cancel: ${what}${both}`, () => balanceTrade.cancel(id)),
    action("Edit…", `Edit…: ${what}`, () => balanceAmend.edit(id)),
  );
}

window.dashAgGridComponentFunctions = {
  ...window.dashAgGridComponentFunctions,
  RowPair,
  PositionActions,
  OrderActions,
};
balanceState.follow(draw);
NARROW.addEventListener("change", draw);
register({ chooseBook: choose });
