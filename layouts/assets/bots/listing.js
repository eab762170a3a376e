/* What the bots did, as rows of tables: decisions, and trades, which a backtest has too. */
import { balanceParts } from "../parts.js";

const { make, moment, tone, folded, sideWords } = balanceParts;

const DECISIONS = ["When", "Bot", "Signal", "Why", "What it did"];
const TRADES = [
  ...["Closed", "Bot", "Symbol", "Side", "Quantity", "Entry", "Exit", "Held", "P&L", "Fees"],
  ...["Why opened", "Why closed"],
];

function cell(label, className, ...children) {
  return make("td", { class: className, "data-label": label, role: "cell" }, ...children);
}

const isLong = (text) => text.trim().includes("\n");
const shortened = (text) => (isLong(text) ? folded(text) : text);

/* A decision's row, or that of anything else that a bot tells. */
function decision(entry) {
  return make(
    "tr",
    { role: "row", "data-kind": entry.kind, "data-entry": entry.id },
    cell("When", "when", moment(entry.time)),
    cell("Bot", "who", entry.name),
    cell("Signal", "side", sideWords(entry)),
    cell("Why", "why", shortened(entry.reason)),
    cell("What it did", "did", shortened(entry.words)),
  );
}

function figure(label, text) {
  return make(
    "td",
    { class: "number pnl-figure", "data-label": label, "data-tone": tone(text), role: "cell" },
    text,
  );
}

function trade({ display, name, symbol, closed_at: closedAt }, { when, owner }) {
  return make(
    "tr",
    { role: "row" },
    cell("Closed", "when", when(closedAt, symbol)),
    ...(owner ? [cell("Bot", "who", name), cell("Symbol", "", symbol)] : []),
    cell("Side", "side", display.side),
    cell("Quantity", "number", display.quantity),
    cell("Entry", "number", display.entry_price),
    cell("Exit", "number", display.exit_price),
    cell("Held", "number", display.duration),
    figure("P&L", display.pnl),
    cell("Fees", "number", display.fees),
    cell("Why opened", "why", display.opened_because),
    cell("Why closed", "why", display.closed_because),
  );
}

const NUMBERS = new Set(["Quantity", "Entry", "Exit", "Held", "P&L", "Fees"]);

function table(name, columns, made) {
  const heads = columns.map((each) => {
    const className = NUMBERS.has(each) ? "number" : null;
    return make("th", { scope: "col", role: "columnheader", class: className }, each);
  });
  return make(
    "table",
    { class: `activity ${name}`, role: "table" },
    make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...heads)),
    make("tbody", { role: "rowgroup" }, ...made),
  );
}

/* The table of decisions, still without its rows. */
const decisions = () => table("decisions", DECISIONS, []);

/* The table of trades, without the columns that say whose they are where they are one bot's. */
function trades(list, how) {
  const columns = TRADES.filter((each) => how.owner || !["Bot", "Symbol"].includes(each));
  return table("trades", columns, list.map((each) => trade(each, how)));
}

export const balanceListing = { decisions, decision, trades };
