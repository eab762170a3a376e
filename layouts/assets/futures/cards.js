/* The rows of the Futures tab's tables on a phone: a card each, with all that there is to do with it. */
import { liveText } from "./cells.js";

const NONE = "–";
const trader = ({ owner }) => (owner === "You" ? "" : owner);
const exits = (part) => [part("take_profit", "TP "), part("stop_loss", "SL ")];

/* What is on a card, by its table: its title, whose it is, its figure and what stands below that, the lines of what is
 * said of it, and the renderer of its buttons; and how high it is. `part` is a figure of the row with what stands
 * before it, or nothing where there is none. */
const CARDS = {
  positions: {
    height: 128,
    actions: "PositionActions",
    card: ({ display: each }, part) => ({
      title: `${each.symbol} ${each.side_words}`,
      owner: trader(each),
      figure: part("unrealized_pnl"),
      below: part("roe_percent"),
      lines: [
        [`${each.quantity} at ${each.entry_price}`, part("mark_price", "mark ")],
        [part("liquidation_price", "Liquidation "), ...exits(part)],
      ],
    }),
  },
  orders: {
    height: 128,
    actions: "OrderActions",
    card: ({ display: each }, part) => ({
      title: `${each.symbol} ${each.side_words}`,
      owner: trader(each),
      // the limit, where there is one
      figure: part("price") ?? part("trigger_price"),
      below: part("reserved_margin", "Margin "),
      lines: [
        [each.quantity, each.kind],
        [part("price") && part("trigger_price", "Trigger "), part("details"), ...exits(part)],
      ],
    }),
  },
  fills: {
    height: 60,
    card: ({ display: each, time }, part) => ({
      title: `${each.side} ${each.quantity} ${each.symbol}`,
      figure: part("price"),
      below: part("realized_pnl"),
      lines: [
        [window.dashAgGridFunctions.deskMoment({ value: time }), each.why, part("fee", "fee "), trader(each)],
      ],
    }),
  },
};

const { Fragment, createElement } = window.React;
const element = (className, ...children) => createElement("div", { className }, ...children);

// the parts of a line that there are, with dots between them
const joined = (parts) =>
  parts.filter(Boolean).flatMap((each, at) => (at === 0 ? [each] : [" · ", each]));

function Card({ data, table }) {
  const { card, actions } = CARDS[table];
  const part = (field, before = "") =>
    [NONE, ""].includes(data.display[field])
      ? null
      : createElement(Fragment, { key: field }, before, liveText(table, data, field));
  const { title, owner, figure, below, lines } = card(data, part);
  const [first, ...more] = lines.map((parts) => element("words", ...joined(parts)));
  const { dashAgGridComponentFunctions: renderers } = window;
  return element(
    "row-card",
    element("title", title, owner && element("owner", ` · ${owner}`)),
    element("figure-text", figure),
    first,
    element("below", below),
    ...more,
    actions && createElement(renderers[actions], { data }),
  );
}

/* The one column of a table of cards. */
export function cardColumn(table) {
  const keys = (event) => window.dashAgGridFunctions.deskKeys(event);
  // its row is another one whenever a figure in it is
  const row = { valueGetter: ({ data }) => data, equals: () => false };
  const shown = { cellRenderer: Card, cellRendererParams: { table }, suppressKeyboardEvent: keys };
  return [{ colId: "card", headerName: table, flex: 1, sortable: false, ...row, ...shown }];
}

export const cardHeight = (table) => CARDS[table].height;
