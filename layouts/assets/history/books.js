/* The tables of History: their columns, and what a phone shows of a row instead. */
import { balanceHistoryCells } from "./book_cells.js";

const cells = balanceHistoryCells;

const RETURN = "Time-weighted: deposits and withdrawals don't move it";
const DRAWDOWN = "The deepest fall from a peak, time-weighted";
// from which width of the table on a column is shown
const WIDE = 960;
const WIDEST = 1240;
const ALWAYS = 0;

// a column: what of a row it shows, its heading, its manner, its least width and the table's, and
// what it is sorted by where that is called otherwise; moments of the ledger follow revisions
const time = (name) => ({ field: "time", by: "revision", name, manner: "moment", width: 124, from: ALWAYS });
const text = (field, name, width, from = ALWAYS, more = {}) => ({ field, name, width, from, ...more });
const number = (field, name, width, from = ALWAYS, words = "") =>
  text(field, name, width, from, { manner: "number", words });
const result = (field, name, width, from = ALWAYS, words = "") =>
  text(field, name, width, from, { manner: "result", words });
const long = (field, name, width, from = ALWAYS) =>
  text(field, name, width, from, { grow: 8, manner: "long" });
const epoch = (field, name, manner, width, from = ALWAYS, more = {}) =>
  text(field, name, width, from, { manner, ...more });
// whose a trade was: the bot may be gone, and its name with it
const trader = ({ bot, name }) => name || bot || "You";
const PLACE = {
  ...{ field: "place", name: "No.", manner: "place", width: 60, from: WIDE },
  words: "Where it stands in the ledger",
};
const EPOCH = number("epoch", "Epoch", 64, WIDE);

const TABLES = {
  ledger: {
    name: "Ledger",
    columns: [
      time("When"),
      text("kind", "What", 104),
      text("symbol", "Symbol", 88),
      result("amount", "Amount", 80),
      number("balance", "Balance after", 104),
      text("owner", "Whose", 72, WIDE),
      text("source", "From", 72, WIDE),
      long("note", "Note", 144),
      EPOCH,
      PLACE,
    ],
    card: ({ display, symbol, note }) => ({
      title: [display.kind, symbol],
      figure: display.amount,
      tone: display.tone,
      words: [note || display.source],
      below: display.balance,
    }),
    empty: [
      "bi-journal-text",
      "Nothing in the ledger yet",
      "Every change of the account is listed here: deposits, orders, fills, fees and results.",
    ],
  },
  fills: {
    name: "Fills",
    columns: [
      time("When"),
      text("symbol", "Symbol", 88),
      text("side", "Side", 60),
      text("why", "Type", 96, ALWAYS, { by: "type" }),
      number("quantity", "Quantity", 84),
      number("price", "Price", 92),
      number("fee", "Fee", 72, ALWAYS, "USDT"),
      result("realized_pnl", "Realised P&L", 104, ALWAYS, "Before fees"),
      text("liquidity", "Liquidity", 80, WIDE),
      text("owner", "Whose", 88, WIDE),
      text("client_id", "Client id", 96, WIDEST, { manner: "name" }),
      EPOCH,
      PLACE,
    ],
    card: ({ display }) => ({
      title: [display.side, display.quantity, display.symbol],
      figure: display.price,
      words: [display.why, display.owner, `fee ${display.fee}`],
      below: display.realized_pnl,
    }),
    empty: [
      "bi-receipt",
      "No fills yet",
      "Place an order on the Futures Trading tab: each one that fills is listed here, with its " +
        "price and its fee.",
    ],
  },
  trades: {
    name: "Trades",
    columns: [
      time("Closed"),
      text("symbol", "Symbol", 80),
      text("side", "Side", 48),
      text("bot", "Whose", 60, WIDE, { by: "owner", manner: "trader" }),
      number("quantity", "Quantity", 64, WIDE),
      number("entry_price", "Entry", 76, ALWAYS, "The average price that it was opened at"),
      number("exit_price", "Exit", 76, ALWAYS, "The average price that it was closed at"),
      { ...number("duration", "Held", 68), by: "seconds" },
      result("pnl", "P&L", 72, ALWAYS, "After fees and funding"),
      number("fees", "Fees", 56, WIDE, "USDT"),
      result("funding", "Funding", 72, WIDE, "USDT"),
      long("opened_because", "Why opened", 96, WIDE),
      long("closed_because", "Why closed", 96),
      { ...PLACE, from: WIDEST },
    ],
    card: (row) => ({
      title: [row.display.side, row.display.quantity, row.display.symbol],
      figure: row.display.pnl,
      words: [trader(row), `held ${row.display.duration}`, row.display.closed_because],
      below: `${row.display.entry_price} → ${row.display.exit_price}`,
    }),
    empty: [
      "bi-arrow-left-right",
      "No closed trades yet",
      "Open a position and close it, or let a bot do so: from its entry to its exit it is listed " +
        "here, with what it brought.",
    ],
  },
  orders: {
    name: "Orders",
    columns: [
      time("Placed"),
      text("symbol", "Symbol", 80),
      text("side", "Side", 48),
      text("kind", "Type", 96, ALWAYS, { by: "type", manner: "kind" }),
      text("state", "State", 76),
      number("quantity", "Quantity", 76),
      number("price", "Limit", 76),
      number("trigger_price", "Trigger", 76, WIDE),
      number("average_price", "Filled at", 80),
      number("fee", "Fee", 60, WIDEST, "USDT"),
      result("realized_pnl", "Realised P&L", 104, WIDE, "Before fees"),
      { ...time("Ended"), field: "ended_at", by: "ended_at", from: WIDEST },
      text("owner", "Whose", 72, WIDE),
      long("why", "Why it ended", 96),
      { ...PLACE, field: "id", manner: "number", name: "Id", words: "The id of the order" },
    ],
    card: ({ display, why }) => ({
      title: [display.side, display.quantity, display.symbol],
      figure: display.state,
      tone: "flat",
      words: [display.type, why || display.owner],
      below: [display.average_price, display.price, display.trigger_price].find((each) => each !== "–") ?? "",
    }),
    empty: [
      "bi-card-list",
      "No orders yet",
      "Each order is listed here from its placing to its end, also one that came to nothing.",
    ],
  },
  epochs: {
    name: "Epochs",
    columns: [
      epoch("pick", "Compare", "pick", 76),
      epoch("epoch", "Epoch", "epoch", 88),
      { ...time("Began"), field: "opened_at", by: "opened_at" },
      epoch("seconds", "Lasted", "lasted", 96),
      number("starting_balance", "Began with", 88, WIDE),
      number("balance", "Wallet balance", 112, ALWAYS, "At the end, or now"),
      result("pnl", "P&L", 72),
      result("pnl_percent", "P&L, %", 64, WIDE, "Of the capital put in"),
      result("return_percent", "Return", 64, ALWAYS, RETURN),
      number("max_drawdown_percent", "Drawdown", 88, WIDE, DRAWDOWN),
      number("trades", "Trades", 60),
      number("win_rate", "Win rate", 68, WIDE),
      number("fees_paid", "Fees", 64, WIDEST, "USDT"),
      epoch("opened_by", "How it began", "opened", 112, WIDEST),
      epoch("entries", "Entries", "entries", 64),
    ],
    card: (row) => ({
      title: [`Epoch ${row.epoch}${row.is_current ? ", running" : ""}`],
      figure: row.display.pnl,
      time: row.opened_at,
      words: [cells.lasted(row), cells.opened(row)],
      below: cells.Entries({ data: row, isInWords: true }),
      lead: cells.Pick({ data: row }),
    }),
    empty: [
      "bi-clock-history",
      "No epochs yet",
      "An epoch is the account between two resets: each is listed here with what it brought.",
    ],
  },
};

// what a phone offers instead of headings
const orders = (field, what, age = "revision") => [
  ["", "Newest first"],
  [age, "Oldest first"],
  [`-${field}`, `Largest ${what}`],
  [field, `Smallest ${what}`],
];
const ORDERS = {
  ledger: orders("amount", "amount"),
  fills: orders("realized_pnl", "P&L"),
  trades: orders("pnl", "P&L"),
  orders: orders("realized_pnl", "P&L"),
  epochs: orders("pnl", "P&L", "epoch"),
};

export const balanceHistoryTables = { TABLES, ORDERS, trader };
