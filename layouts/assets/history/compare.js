/* Some epochs side by side: the rows are figures, and the best of each is marked. */
(() => {
  "use strict";

  const { make, button, tone } = window.balanceAtoms;
  const { go } = window.balanceAddress;
  const { lasted } = window.balanceHistoryCells;

  const most = (one, other) => one > other;
  const least = (one, other) => Math.abs(one) < Math.abs(other);
  // a figure: what it is called, its name, and which of two is better, where one is
  const FIGURES = [
    ["Starting balance", "starting_balance"],
    ["Deposits", "deposits"],
    ["Withdrawals", "withdrawals"],
    ["Wallet balance", "balance"],
    ["P&L", "pnl", most],
    ["P&L, %", "pnl_percent", most],
    ["Time-weighted return", "return_percent", most],
    ["Max drawdown", "max_drawdown_percent", least],
    ["Trades", "trades"],
    ["Win rate", "win_rate", most],
    ["Profit factor", "profit_factor", most],
    ["Best trade", "best_trade", most],
    ["Worst trade", "worst_trade", most],
    ["Fees", "fees_paid"],
    ["Funding paid", "funding_paid"],
  ];
  const SIGNED = new Set(["pnl", "pnl_percent", "return_percent", "best_trade", "worst_trade"]);

  /* The best of some values, where they differ. */
  function bestOf(values, isBetter) {
    const known = values.filter((value) => value !== null && value !== undefined);
    if (!isBetter || known.length < 2 || known.every((value) => value === known[0])) {
      return null;
    }
    return known.reduce((best, value) => (isBetter(value, best) ? value : best));
  }

  function figure(row, name, best) {
    const text = row.display[name];
    const isBest = best !== null && row[name] === best;
    const isSigned = SIGNED.has(name);
    const className = isSigned ? "number pnl-figure" : "number";
    const attributes = { class: className, "data-tone": isSigned ? tone(text) : null };
    const mark = make("span", { class: "best bi-star-fill" }, make("span", {}, "best"));
    return make("td", attributes, ...(isBest ? [mark, text] : [text]));
  }

  function line(words, cells) {
    return make("tr", {}, make("th", { scope: "row" }, words), ...cells);
  }

  function table(rows) {
    const heads = rows.map(({ epoch }) => make("th", { scope: "col", class: "number" }, `Epoch ${epoch}`));
    const lines = FIGURES.map(([words, name, isBetter]) => {
      const best = bestOf(rows.map((row) => row[name]), isBetter);
      return line(words, rows.map((row) => figure(row, name, best)));
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
    go(window.balanceHistory.href({ ...window.balanceHistoryScreen.view, compare: [] }), { replace: true });
    document.getElementById("history-compare").focus();
  }

  /* Draws the epochs that are compared, from two on. */
  function draw(rows) {
    const place = document.getElementById("history-compared");
    if (rows.length < 2) {
      place.replaceChildren();
      return;
    }
    const known = place.querySelector(".compared");
    const made = table(rows);
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

  window.balanceHistoryCompare = { draw };
})();
