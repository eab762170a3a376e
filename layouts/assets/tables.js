/* The tables that follow the account: positions and orders from the snapshot, ledger pages. */
(() => {
  "use strict";

  const none = () => window.dash_clientside.no_update;

  function node(type, children, props = {}) {
    return { type, namespace: "dash_html_components", props: { children, ...props } };
  }

  function emptyState(icon, title, words) {
    return node(
      "Div",
      [
        node("I", null, { className: `bi bi-${icon} empty-icon`, "aria-hidden": "true" }),
        node("P", title, { className: "empty-title" }),
        node("P", words, { className: "empty-words" }),
      ],
      { className: "empty" },
    );
  }

  // columns: [heading, field, class]
  function table(columns, rows) {
    const head = columns.map(([name, , kind]) => node("Th", name, { className: kind }));
    const body = rows.map((row) =>
      node(
        "Tr",
        columns.map(([, field, kind]) => {
          const text = row.display[field];
          const tone = { "+": "gain", "-": "loss" }[text[0]] ?? "flat";
          return node("Td", text, { className: kind, "data-tone": tone });
        }),
      ),
    );
    return node("Table", [node("Thead", node("Tr", head)), node("Tbody", body)], {
      className: "ledger",
    });
  }

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

  let shown = null;

  /* The positions and open orders of the account: [positions, orders]. */
  function positions(store) {
    const listed = JSON.stringify([store.positions, store.open_orders]);
    if (store.positions === undefined || listed === shown) {
      return [none(), none()];
    }
    shown = listed;
    return [
      store.positions.length
        ? table(POSITIONS, store.positions)
        : emptyState(
            "graph-up-arrow",
            "No open positions",
            "A position in this account is listed here with its profit or loss at the last known mark price.",
          ),
      store.open_orders.length
        ? table(ORDERS, store.open_orders)
        : emptyState("list-check", "No open orders", "An order that waits is listed here with the margin it keeps back."),
    ];
  }

  /* Lets a ledger that is looked at follow the account: the key it is in step with. */
  function follow(store, tab, key, mine) {
    const wanted = `${store.account}.${store.revision}`;
    return tab !== mine || store.revision === undefined || wanted === key ? none() : wanted;
  }

  /* Where the shown page of the history begins, behind where those before it do. */
  function turnPage(older, newer, kind, epoch, cursors, next) {
    const woken = window.dash_clientside.callback_context.triggered_id;
    if (woken === "history-older-btn") {
      return next ? [...cursors, next] : none();
    }
    return woken === "history-newer-btn" ? cursors.slice(0, -1) : [];
  }

  window.dash_clientside = {
    ...window.dash_clientside,
    tables: { positions, follow, turnPage },
  };
})();
