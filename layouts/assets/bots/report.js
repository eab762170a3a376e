/* What came of a backtest: its figures, its curve and its trades. */
import { balanceParts } from "../parts.js";
import { balanceCurves } from "./curves.js";
import { balanceListing } from "./listing.js";

const { make, tone } = balanceParts;

function metric({ name, label, is_signed: isSigned }, display) {
  const text = display[name];
  const figure = { class: isSigned ? "pnl-figure" : null, "data-tone": isSigned ? tone(text) : null };
  return make("div", {}, make("dt", {}, label), make("dd", figure, text));
}

function when(iso) {
  const { day } = balanceCurves;
  return make("time", { datetime: iso, title: `${iso.slice(0, 19).replace("T", " ")} UTC` }, day(iso));
}

function listTitle(count, all) {
  const trades = all === 1 ? "1 trade" : `${all.toLocaleString("en-US")} trades`;
  return count < all ? `The newest ${count} of ${trades}` : `${trades}, newest first`;
}

function list({ rows, trades }) {
  if (rows.length === 0) {
    return [];
  }
  const table = balanceListing.trades(rows, { when, owner: false });
  return [
    make("h3", { class: "snippet-title" }, listTitle(rows.length, trades)),
    make("div", { class: "backtest-trades", tabindex: 0, "aria-label": "Trades", role: "region" }, table),
  ];
}

/* What was gone through, in a sentence. */
function spanOf(result) {
  const { day } = balanceCurves;
  const count = result.candles.toLocaleString("en-US");
  return `${count} candles, ${day(result.from)} to ${day(result.to)} UTC.`;
}

/* The elements of a result, as GET /backtests tells it. */
function drawn(result) {
  return [
    make("dl", { class: "metrics" }, ...result.figures.map((each) => metric(each, result.display))),
    ...(result.curve.length > 1 ? [balanceCurves.equity(result.curve)] : []),
    ...list(result),
  ];
}

export const balanceReport = { drawn, spanOf };
