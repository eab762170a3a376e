/* What stands in the cells of the Futures tab's tables: figures, some of which follow the prices, and
 * buttons.
 */
import { rowOf, tone } from "../live.js";

const NONE = "–";

const isEmpty = (text) => ["", NONE, undefined].includes(text);
const element = (className, ...children) => React.createElement("div", { className }, ...children);

// what the rows of a table are called by; a fill never changes
const NAMES = { positions: "symbol", orders: "id" };

/* The figure `field` of a row in a table, which follows the prices, or its time. */
function liveText(table, data, field) {
  const text = data.display[field] ?? data[field]?.slice(5, 19).replace("T", " ") ?? "";
  const of = table in NAMES && { "data-live": field, "data-of": `${table}/${data[NAMES[table]]}` };
  return React.createElement("span", { "data-tone": tone(text), ...of }, text);
}

Object.assign((window.dashAgGridFunctions ??= {}), {
  deskTone: ({ data, colDef }) => ["ag-right-aligned-cell", tone(data?.display[colDef.field])],
  // all that the second line may have no room for; of an OCO, the order that it cancels
  deskTerms({ data: { id, display } }) {
    const { details, group } = rowOf(`orders/${id}`)?.display ?? display;
    return [details, group].filter(Boolean).join(". ");
  },
  // the arrows go from cell to cell; Tab goes on to the buttons of the row, or out of the table
  deskTab({ api, backwards, nextCellPosition, previousCellPosition }) {
    const column = api.getColumn("actions");
    if (backwards) {
      return nextCellPosition ?? false;
    }
    return column === null ? false : { ...previousCellPosition, column };
  },
});

/* A figure of a row, and another one below it where there is one. */
function RowPair({ data, table, above, below }) {
  const line = (field) => element("", liveText(table, data, field));
  return element("row-pair", line(above), ...(isEmpty(data.display[below]) ? [] : [" ", line(below)]));
}

/* The exits of a row that there are, one below the other. */
function RowExits({ data: { display } }) {
  const exits = [["TP", display.take_profit], ["SL", display.stop_loss]].filter(([, price]) => !isEmpty(price));
  const [first = NONE, second] = exits.map((each) => each.join(" "));
  return element("row-pair", element("", first), second && " ", second && element("", second));
}

function action(label, title, more) {
  const named = { type: "button", className: "btn btn-sm btn-outline-secondary", title, "aria-label": title };
  return React.createElement("button", { ...named, ...more }, label);
}

// what has a callback do something with a row, as `pressing` of layouts/parts.py
const pressing = (store, what) => ({ "data-press": store, "data-pressed": JSON.stringify(what) });
const acting = (verb, row) => pressing("futures-row", { verb, row });

function PositionActions({ data: { symbol, display } }) {
  const what = `${display.side.toLowerCase()} ${symbol}`;
  return element(
    "row-actions",
    action("Close", `Close all of the ${what} at market`, acting("close", symbol)),
    action("Half", `Close half of the ${what} at market`, acting("half", symbol)),
    action("Edit…", `Edit… the ${what}: close a part, take-profit and stop-loss`, pressing("position-edited", { key: symbol })),
  );
}

function OrderActions({ data: { id, display } }) {
  const what = `${display.side} ${display.quantity} ${display.symbol} ${display.type}`;
  const both = display.group && ", and the other order of its OCO";
  return element(
    "row-actions",
    action("Cancel", `Cancel: ${what}${both}`, acting("cancel", id)),
    action("Edit…", `Edit…: ${what}`, pressing("order-edited", { key: id })),
  );
}

// a text with the fields of a row that it has in braces; nothing where there is nothing in one of them
function filled(text, table, data) {
  const parts = text.split(/\{(\w+)\}/);
  const figures = parts.map((part, at) => (at % 2 ? liveText(table, data, part) : part));
  const isWhole = figures.every((figure) => !isEmpty(figure.props?.children ?? " "));
  return isWhole && React.createElement(React.Fragment, { key: text }, ...figures);
}

/* A row on a phone, with all that there is to do with it; what is on it is as in layouts/grids.py. */
function RowCard({ data, table, title, figure, below, lines, actions }) {
  const fill = (text) => filled(text, table, data);
  const [first, ...more] = lines.map((texts) => {
    const parts = texts.map(fill).filter(Boolean);
    return element("words", ...parts.flatMap((part, at) => (at === 0 ? [part] : [" · ", part])));
  });
  const { owner } = data.display;
  return element(
    "row-card",
    element("title", fill(title), owner !== "You" && element("owner", ` · ${owner}`)),
    element("figure-text", figure.map(fill).find(Boolean)),
    first,
    element("below", fill(below)),
    ...more,
    actions && React.createElement(window.dashAgGridComponentFunctions[actions], { data }),
  );
}

Object.assign((window.dashAgGridComponentFunctions ??= {}), {
  RowPair,
  RowCard,
  RowExits,
  PositionActions,
  OrderActions,
});
