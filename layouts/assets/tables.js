/* The tables that follow the account: positions and orders, and pages of the ledger. They are drawn
 * by hand, as each component in the page costs time at every change of the balance.
 */
(() => {
  "use strict";

  // columns: [heading, field, class]
  const POSITIONS = [
    ["Symbol", "symbol", ""],
    ["Side", "side", ""],
    ["Quantity", "quantity", "number"],
    ["Entry", "entry_price", "number"],
    ["Mark", "mark_price", "number"],
    ["Margin, USDT", "isolated_margin", "number"],
    ["Leverage", "leverage", "number"],
    ["Unrealised P&L", "unrealized_pnl", "number pnl-figure"],
  ];
  const ORDERS = [
    ["Symbol", "symbol", ""],
    ["Side", "side", ""],
    ["Type", "type", ""],
    ["Quantity", "quantity", "number"],
    ["Price", "price", "number"],
    ["Margin, USDT", "reserved_margin", "number"],
  ];
  const LEDGER = [
    ["Revision", "revision", "number"],
    ["When", "time", "when"],
    ["What", "kind", ""],
    ["Amount", "amount", "number pnl-figure"],
    ["Balance after", "balance", "number"],
    ["From", "source", ""],
    ["Note", "note", "note"],
    ["Epoch", "epoch", "number"],
  ];
  const NO_POSITIONS = [
    "bi-graph-up-arrow",
    "No open positions",
    "A position in this account is listed here with its profit or loss at the last known mark price.",
  ];
  const NO_ORDERS = [
    "bi-list-check",
    "No open orders",
    "An order that waits is listed here with the margin it keeps back.",
  ];
  const NO_ENTRIES = ["bi-search", "No such entries", "Nothing in the ledger fits these filters."];

  function element(tag, className, ...children) {
    const made = document.createElement(tag);
    made.className = className;
    made.append(...children);
    return made;
  }

  function emptyState([icon, title, words]) {
    return element(
      "div",
      `empty ${icon}`,
      element("p", "empty-title", title),
      element("p", "empty-words", words),
    );
  }

  function cell(row, field, className) {
    const made = element("td", className);
    if (field === "time") {
      const time = element("time", "moment");
      time.dateTime = row.time;
      made.append(time);
      return made;
    }
    const text = row[field];
    made.textContent = text;
    made.title = className === "note" ? text : "";
    made.dataset.tone =
      field === "amount" ? row.tone : ({ "+": "gain", "-": "loss" }[text[0]] ?? "flat");
    return made;
  }

  function table(columns, rows) {
    const head = element("tr", "");
    head.append(
      ...columns.map(([name, , className]) => {
        const heading = element("th", className.replace("pnl-figure", ""), name);
        heading.scope = "col";
        return heading;
      }),
    );
    const body = rows.map((row) =>
      element("tr", "", ...columns.map(([, field, className]) => cell(row, field, className))),
    );
    return element(
      "table",
      "ledger",
      element("thead", "", head),
      element("tbody", "", ...body),
    );
  }

  function draw(id, columns, rows, empty) {
    const made = rows.length ? table(columns, rows) : emptyState(empty);
    document.getElementById(id)?.replaceChildren(made);
  }

  let drawn = null;

  /* The positions and open orders of the account, anew when they changed. */
  function drawPositions({ positions, open_orders: orders }) {
    const listed = JSON.stringify([positions, orders]);
    if (positions === undefined || listed === drawn) {
      return;
    }
    drawn = listed;
    const texts = (rows) => rows.map(({ display }) => display);
    draw("futures-positions", POSITIONS, texts(positions), NO_POSITIONS);
    draw("futures-orders", ORDERS, texts(orders), NO_ORDERS);
  }

  function drawEntries(id, columns, { rows, problem }) {
    if (problem === undefined) {
      draw(id, columns, rows, NO_ENTRIES);
      return window.dash_clientside.no_update;
    }
    const words = element("p", "problem", problem);
    words.role = "alert";
    document.getElementById(id)?.replaceChildren(words);
    return window.dash_clientside.no_update;
  }

  const drawNewest = (entries) => drawEntries("overview-ledger", LEDGER.slice(1, 5), entries);
  const drawPage = (entries) => drawEntries("history-ledger", LEDGER, entries);

  /* Where the shown page of the history begins, behind where those before it do. */
  function turnPage(older, newer, kind, epoch, cursors, next) {
    const woken = window.dash_clientside.callback_context.triggered_id;
    if (woken === "history-older-btn") {
      return next ? [...cursors, next] : window.dash_clientside.no_update;
    }
    return woken === "history-newer-btn" ? cursors.slice(0, -1) : [];
  }

  window.balanceTables = { drawPositions };
  window.dash_clientside = {
    ...window.dash_clientside,
    tables: { drawNewest, drawPage, turnPage },
  };
})();
