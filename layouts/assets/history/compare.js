/* Some epochs side by side: the rows are figures, and the best of each is marked. */
import { balanceAddress } from "../address.js";
import { page } from "../page.js";
import { balanceParts } from "../parts.js";
import { balanceHistoryCells } from "./book_cells.js";
import { balanceHistoryScreen } from "./screen.js";
import { balanceHistory } from "./view.js";

const { make, button, tone } = balanceParts;
const { go } = balanceAddress;
const { lasted } = balanceHistoryCells;

// Which of two values is better.
const BETTER = {
  greater: (one, other) => one > other,
  smaller: (one, other) => Math.abs(one) < Math.abs(other),
};
const figure = (label, name, better = "", isSigned = false) => ({ label, name, better, is_signed: isSigned });
// The figures of the wallet, before and after those of performance, which the server lists.
const BEFORE = [
  figure("Starting balance", "starting_balance"),
  figure("Deposits", "deposits"),
  figure("Withdrawals", "withdrawals"),
  figure("Wallet balance", "balance"),
  figure("P&L", "pnl", "greater", true),
  figure("P&L, %", "pnl_percent", "greater", true),
];
const AFTER = [figure("Fees", "fees_paid"), figure("Funding paid", "funding_paid")];

/* The best of some values, where they differ. */
function bestOf(values, isBetter) {
  const known = values.filter((value) => value !== null && value !== undefined);
  if (!isBetter || known.length < 2 || known.every((value) => value === known[0])) {
    return null;
  }
  return known.reduce((best, value) => (isBetter(value, best) ? value : best));
}

function cell(row, { name, is_signed: isSigned }, best) {
  const text = row.display[name];
  const isBest = best !== null && row[name] === best;
  const className = isSigned ? "number pnl-figure" : "number";
  const attributes = { class: className, "data-tone": isSigned ? tone(text) : null };
  const mark = make("span", { class: "best bi-star-fill" }, make("span", {}, "best"));
  return make("td", attributes, ...(isBest ? [mark, text] : [text]));
}

function line(words, cells) {
  return make("tr", {}, make("th", { scope: "row" }, words), ...cells);
}

function table(rows, figures) {
  const heads = rows.map(({ epoch }) => make("th", { scope: "col", class: "number" }, `Epoch ${epoch}`));
  const lines = [...BEFORE, ...figures, ...AFTER].map((each) => {
    const best = bestOf(rows.map((row) => row[each.name]), BETTER[each.better]);
    return line(each.label, rows.map((row) => cell(row, each, best)));
  });
  lines.push(line("Lasted", rows.map((row) => make("td", { class: "number" }, lasted(row)))));
  return make(
    "table",
    { class: "compared", "aria-label": "Epochs side by side" },
    make("thead", {}, make("tr", {}, make("td"), ...heads)),
    make("tbody", {}, ...lines),
  );
}

function close() {
  go(balanceHistory.href({ ...balanceHistoryScreen.view, compare: [] }), { replace: true });
  document.getElementById("history-compare").focus();
}

/* Draws the epochs that are compared, from two on, with `figures` as the server lists them. */
function draw(rows, figures) {
  const place = document.getElementById("history-compared");
  if (rows.length < 2) {
    place.replaceChildren();
    return;
  }
  const known = place.querySelector(".compared");
  const made = table(rows, figures);
  if (known === null) {
    const shut = button("Close", "x-lg", { onclick: close, "aria-label": "Close the comparison" });
    const title = make("h3", { class: "panel-title", tabindex: -1 }, "Compared");
    const head = make("div", { class: "epochs-head" }, title, shut);
    const region = { class: "scroller", tabindex: 0, role: "region", "aria-label": "Comparison" };
    place.replaceChildren(head, make("div", region, made));
  } else if (known.textContent !== made.textContent) {
    known.replaceWith(made);
  }
}

export const balanceHistoryCompare = { draw };
page.balanceHistoryCompare = balanceHistoryCompare;
