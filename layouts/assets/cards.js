/* The rows of the Futures tab's tables on a phone: a card each, with all that there is to do with it. */
import { balanceLive } from "./live.js";

const NONE = "–";
const labelled = (name, text) => (text === NONE ? "" : `${name} ${text}`);
const exits = ({ take_profit: profit, stop_loss: loss }) => [labelled("TP", profit), labelled("SL", loss)];
// the figure of the card is the limit, where there is one
const trigger = ({ price, trigger_price: trigger }) => (price === NONE ? [] : [labelled("Trigger", trigger)]);
const trader = ({ owner }) => (owner === "You" ? "" : owner);

/* What is on a card, by its table: its title, whose it is, and its figure, what is said of it and what stands below
 * the figure, and the renderer of its buttons; and how high it is. */
const CARDS = {
  positions: {
    height: 124,
    actions: "PositionActions",
    card: ({ display: each }) => ({
      title: [each.symbol, each.side_words],
      owner: trader(each),
      figure: each.unrealized_pnl,
      below: each.roe_percent,
      words: [
        [`${each.quantity} at ${each.entry_price}`, `mark ${each.mark_price}`],
        [labelled("Liquidation", each.liquidation_price), ...exits(each)],
      ],
    }),
  },
  orders: {
    height: 124,
    actions: "OrderActions",
    card: ({ display: each }) => ({
      title: [each.symbol, each.side_words],
      owner: trader(each),
      figure: each.price === NONE ? each.trigger_price : each.price,
      below: labelled("Margin", each.reserved_margin),
      words: [
        [each.quantity, each.kind],
        [...trigger(each), each.details, ...exits(each)],
      ],
    }),
  },
  fills: {
    height: 60,
    card: ({ display: each }, moment) => ({
      title: [each.side, each.quantity, each.symbol],
      figure: each.price,
      below: each.realized_pnl === NONE ? "" : each.realized_pnl,
      words: [[moment, each.why, `fee ${each.fee}`, trader(each)]],
    }),
  },
};

const element = (className, ...children) =>
  React.createElement("div", { className }, ...children);

function line(parts, number) {
  const words = parts.filter(Boolean).join(" · ");
  return React.createElement("div", { className: "words", key: number, title: words }, words);
}

function Card({ data, table }) {
  const { card, actions } = CARDS[table];
  const { dashAgGridFunctions: texts, dashAgGridComponentFunctions: parts } = window;
  const { title, owner, figure, below, words } = card(data, texts.deskMoment({ value: data.time }));
  const { tone } = balanceLive;
  const [first, ...more] = words.map(line);
  return element(
    "row-card",
    element("title", title.join(" "), owner && element("owner", ` · ${owner}`)),
    element(`figure-text ${tone(figure)}`, figure),
    first,
    element(`below ${tone(below)}`, below),
    ...more,
    actions && React.createElement(parts[actions], { data }),
  );
}

/* The one column of a table of cards. */
function columns(table) {
  const keys = (event) => window.dashAgGridFunctions.deskKeys(event);
  // its row is another one whenever a figure in it is
  const row = { valueGetter: ({ data }) => data, equals: () => false };
  const shown = { cellRenderer: Card, cellRendererParams: { table }, suppressKeyboardEvent: keys };
  return [{ colId: "card", headerName: table, flex: 1, sortable: false, ...row, ...shown }];
}

export const balanceCards = { columns, height: (table) => CARDS[table].height };
