/* What stands in the cells of the Futures tab's tables: figures, some of which follow the prices, and
 * buttons.
 */
import { snapshot } from "../balance.js";
import { tone } from "../live.js";
import { cancel, close } from "./trade.js";

const NONE = "–";
// the buttons of a cell are reached with the Tab key, as any others
const KEYS = ["Tab", "Enter", " "];

const element = (className, ...children) => React.createElement("div", { className }, ...children);

// what the rows of a table are called by; a fill never changes
const NAMES = { positions: "symbol", orders: "id" };

/* The figure `field` of a row in a table, which follows the prices. */
export function liveText(table, data, field) {
  const text = data.display[field];
  const of = table in NAMES && { "data-live": field, "data-of": `${table}/${data[NAMES[table]]}` };
  return React.createElement("span", { "data-tone": tone(text), ...of }, text);
}

Object.assign((window.dashAgGridFunctions ??= {}), {
  deskText: ({ data, colDef }) => data?.display[colDef.field] ?? "",
  deskTone: ({ data, colDef }) => ["ag-right-aligned-cell", tone(data?.display[colDef.field])],
  // all that the second line may have no room for; of an OCO, the order that it cancels
  deskTerms({ data: { id, display } }) {
    const now = snapshot.open_orders.find((each) => each.id === id)?.display ?? display;
    return [now.details, now.group].filter(Boolean).join(". ");
  },
  deskMoment: ({ value }) => (value ? `${value.slice(5, 10)} ${value.slice(11, 19)}` : ""),
  // the arrows go from cell to cell; Tab goes on to the buttons of the row, or out of the table
  deskTab({ api, backwards, nextCellPosition, previousCellPosition }) {
    const column = api.getColumn("actions");
    if (backwards) {
      return nextCellPosition ?? false;
    }
    return column === null ? false : { ...previousCellPosition, column };
  },
  deskKeys: ({ event }) => KEYS.includes(event.key),
});

/* A figure of a row, and another one below it where there is one. */
function RowPair({ data, table, above, below }) {
  const line = (field) => element("", liveText(table, data, field));
  const isAlone = ["", NONE, undefined].includes(data.display[below]);
  return element("row-pair", line(above), ...(isAlone ? [] : [" ", line(below)]));
}

/* The exits of a row: "41,000.00 / –" as what there is of it. */
function RowExits({ data: { display } }) {
  const [profit, loss] = display.exits.split(" / ");
  const known = [["TP", profit], ["SL", loss]].filter(([, price]) => price && price !== NONE);
  const [first = NONE, second] = known.map((each) => each.join(" "));
  return element("row-pair", element("", first), second && " ", second && element("", second));
}

function action(label, title, more) {
  const named = { type: "button", className: "btn btn-sm btn-outline-secondary", title, "aria-label": title };
  return React.createElement("button", { ...named, ...more }, label);
}

// what opens the dialog called `name` on the position or the order with that key
const opening = (name, key) => ({ "data-press": `${name}-edited`, "data-pressed": JSON.stringify({ key }) });

function PositionActions({ data: { symbol, display } }) {
  const what = `${display.side.toLowerCase()} ${symbol}`;
  return element(
    "row-actions",
    action("Close", `Close all of the ${what} at market`, { onClick: () => close(symbol, 100) }),
    action("Half", `Close half of the ${what} at market`, { onClick: () => close(symbol, 50) }),
    action("Edit…", `Edit… the ${what}: close a part, take-profit and stop-loss`, opening("position", symbol)),
  );
}

function OrderActions({ data: { id, display } }) {
  const what = `${display.side} ${display.quantity} ${display.symbol} ${display.type}`;
  const both = display.group && ", and the other order of its OCO";
  return element(
    "row-actions",
    action("Cancel", `Cancel: ${what}${both}`, { onClick: () => cancel(id) }),
    action("Edit…", `Edit…: ${what}`, opening("order", id)),
  );
}

Object.assign((window.dashAgGridComponentFunctions ??= {}), {
  RowPair,
  RowExits,
  PositionActions,
  OrderActions,
});
