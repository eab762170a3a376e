/* The tables of the ledger. They are drawn by hand, as each component in the page costs time at every
 * change of the balance.
 */
(() => {
  "use strict";

  // columns: [heading, field, class]
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

  const drawPage = (entries) => drawEntries("history-ledger", LEDGER, entries);

  /* Where the shown page of the history begins, behind where those before it do. */
  function turnPage(older, newer, kind, epoch, cursors, next) {
    const woken = window.dash_clientside.callback_context.triggered_id;
    if (woken === "history-older-btn") {
      return next ? [...cursors, next] : window.dash_clientside.no_update;
    }
    return woken === "history-newer-btn" ? cursors.slice(0, -1) : [];
  }

  window.balanceTables = { emptyState };
  window.dash_clientside = {
    ...window.dash_clientside,
    tables: { drawPage, turnPage },
  };
})();
