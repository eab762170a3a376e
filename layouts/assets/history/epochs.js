/* The epochs of History, newest first, and which of them are to be compared. */
(() => {
  "use strict";

  const { make, button, moment, arrange, tone } = window.balanceAtoms;
  const { MOST_COMPARED, href, queryOf, PATH } = window.balanceHistory;
  const { ask } = window.balanceHistorySource;
  const { go } = window.balanceAddress;
  const { lasted } = window.balanceHistoryCompare;

  const PAGE = 50;
  const MOST = 1000;
  // a column: heading, what of a row it shows, class
  const COLUMNS = [
    ["Began with", "starting_balance", "number"],
    ["Wallet balance", "balance", "number"],
    ["P&L", "pnl", "number pnl-figure"],
    ["P&L, %", "pnl_percent", "number pnl-figure"],
    ["Return", "return_percent", "number pnl-figure"],
    ["Max drawdown", "max_drawdown_percent", "number"],
    ["Trades", "trades", "number"],
    ["Win rate", "win_rate", "number"],
  ];
  const WORDS = {
    Return: "Time-weighted: deposits and withdrawals don't move it",
    "Max drawdown": "The deepest fall from a peak, time-weighted",
    "Wallet balance": "At the end, or now",
  };
  const HOW = `An epoch is the account between two resets. Choose two to ${MOST_COMPARED} to compare them.`;

  let view = null;
  let chosen = new Set(); // the epochs that are to be compared
  let isToBeFocused = false; // the comparison, once it is drawn
  let asked = 0;
  let rows = [];
  let shown = PAGE;
  let body = null;
  const drawn = new Map(); // rows of the table by their epochs

  const place = () => document.getElementById("history-epochs");

  function nameOf({ is_current: isCurrent, opened_by: by, continues }) {
    const words = { undo: `goes on from ${continues}`, reset: "after a reset", start: "the first" }[by];
    return isCurrent ? `running, ${words}` : words;
  }

  function cell(label, className, ...children) {
    return make("td", { class: className, "data-label": label, role: "cell" }, ...children);
  }

  function newRow({ epoch, opened_at: begin }) {
    const id = `history-epoch-${epoch}`;
    const label = `Compare epoch ${epoch}`;
    const box = make("input", { type: "checkbox", id, class: "form-check-input", "aria-label": label });
    box.addEventListener("change", () => {
      chosen[box.checked ? "add" : "delete"](epoch);
      draw();
    });
    const figures = COLUMNS.map(([label, field, className]) => {
      const made = cell(label, className);
      made.dataset.field = field;
      return made;
    });
    const link = { href: `${PATH}?${queryOf({ epoch })}` };
    return make(
      "tr",
      { role: "row" },
      cell("Compare", "pick", box),
      cell("Epoch", "which", make("strong", {}, `Epoch ${epoch}`), make("span", { class: "how" })),
      cell("Began", "when", moment(begin)),
      cell("Lasted", "number lasted"),
      ...figures,
      cell("Entries", "number", make("a", link)),
    );
  }

  function write(made, row) {
    const texts = { ".how": nameOf(row), ".lasted": lasted(row), "a[href]": row.display.entries };
    const entries = `${row.display.entries} entries of epoch ${row.epoch}`;
    made.querySelector("a").setAttribute("aria-label", entries);
    for (const [selector, words] of Object.entries(texts)) {
      window.balanceLive.write(made.querySelector(selector), words);
    }
    made.querySelectorAll("[data-field]").forEach((each) => {
      window.balanceLive.write(each, row.display[each.dataset.field]);
      each.dataset.tone = tone(each.textContent);
    });
    const box = made.querySelector("input");
    box.checked = chosen.has(row.epoch);
    box.disabled = !box.checked && chosen.size >= MOST_COMPARED;
    box.title = box.disabled ? `At most ${MOST_COMPARED} epochs are compared` : "";
  }

  function table() {
    const names = ["", "Epoch", "Began", "Lasted", ...COLUMNS.map(([name]) => name), "Entries"];
    const heads = names.map((name, at) => {
      const className = at > 2 ? "number" : null;
      const words = name || make("span", { class: "visually-hidden" }, "Compare");
      return make("th", { scope: "col", role: "columnheader", class: className, title: WORDS[name] }, words);
    });
    body = make("tbody", { role: "rowgroup" });
    const head = make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...heads));
    return make("table", { class: "epochs", role: "table", "aria-label": "Epochs" }, head, body);
  }

  function build() {
    const older = button("Older epochs", "chevron-down", { id: "history-epochs-older" });
    older.addEventListener("click", () => {
      shown += PAGE;
      draw();
    });
    const undo = button("Undo the last reset", "arrow-counterclockwise", { id: "history-undo" });
    undo.addEventListener("click", () => window.balanceReset.undo());
    const compare = button("Compare", "layout-three-columns", {
      id: "history-compare",
      onclick: compareChosen,
    });
    const words = make("span", {}, HOW);
    place().replaceChildren(
      make("div", { class: "epochs-head" }, words, compare, undo),
      make("div", { id: "history-compared" }),
      make("div", { class: "scroller" }, table()),
      make("div", { class: "pager" }, older),
    );
  }

  function canUndo() {
    const isOpenedByReset = rows[0]?.is_current && rows[0].opened_by === "reset";
    const { snapshot } = window.balanceState;
    return Boolean(isOpenedByReset && snapshot?.can_undo_reset && window.balanceReset?.undo);
  }

  function draw() {
    body?.isConnected || build();
    for (const row of rows.slice(0, shown)) {
      drawn.has(row.epoch) || drawn.set(row.epoch, newRow(row));
      write(drawn.get(row.epoch), row);
    }
    arrange(body, rows.slice(0, shown).map(({ epoch }) => drawn.get(epoch)));
    document.getElementById("history-epochs-older").hidden = rows.length <= shown;
    document.getElementById("history-undo").hidden = !canUndo();
    document.getElementById("history-compare").disabled = chosen.size < 2;
    window.balanceHistoryCompare.draw(rows.filter(({ epoch }) => view.compare.includes(epoch)));
    if (isToBeFocused && view.compare.length) {
      isToBeFocused = false;
      document.querySelector("#history-compared h3")?.focus();
    }
  }

  function compareChosen() {
    const compare = [...chosen].sort((one, other) => other - one);
    isToBeFocused = true;
    go(href({ ...view, compare }), { replace: true });
  }

  function showProblem(words) {
    [body, rows] = [null, []];
    place().replaceChildren(make("p", { class: "problem", role: "alert" }, words));
  }

  async function read() {
    const number = ++asked;
    const [answer, words] = await ask(`/history/epochs?limit=${MOST}`);
    if (number !== asked) {
      return;
    }
    if (answer !== null) {
      rows = answer.epochs;
      draw();
    } else if (words !== null) {
      showProblem(words);
    }
  }

  /* Shows the epochs, those that are to be compared above them. */
  function show(next) {
    view = next;
    chosen = view.compare.length ? new Set(view.compare) : chosen;
    rows.length && draw();
    read();
  }

  // the running one lasts longer and longer
  window.balanceState.follow(() => {
    const cell = rows[0]?.is_current && drawn.get(rows[0].epoch)?.querySelector(".lasted");
    cell && cell.checkVisibility() && window.balanceLive.write(cell, lasted(rows[0]));
  });

  window.balanceHistoryEpochs = { show, refresh: read };
})();
