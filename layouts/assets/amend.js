/* The dialog that gives an open order other numbers: its prices and its quantity. */
(() => {
  "use strict";

  const { carryOut, onceUntilOpened } = window.balanceRequests;
  const { read, isEmpty } = window.balanceAmounts;
  // the fields of the numbers that an order of a type has beside its size, in their order
  const NUMBERS = ["order-price", "order-second-price"];
  const QUANTITY = { label: "Quantity", member: "quantity", format: "quantity" };

  const NONE = "–";

  let amended = null; // the order that the dialog is about

  const place = (id) => document.getElementById(id);
  const shown = (member) => (amended.display[member] === NONE ? "" : amended.display[member]);

  // what the order has, by the fields of the dialog; an exit for a whole position has no quantity
  function fields() {
    const { numbers: all } = window.balanceTicket.kindOf(amended.type);
    // what follows the price already does so, wherever it was to begin
    const numbers = all.filter(({ optional }) => !optional || amended.best_price === null);
    const found = NUMBERS.map((id, index) => [id, numbers[index]]);
    return [...found, ["order-quantity", amended.quantity === null ? undefined : QUANTITY]];
  }

  function edit(order) {
    amended = window.balanceState.snapshot?.open_orders.find((each) => each.id === order);
    if (amended === undefined) {
      return;
    }
    amendOnce.opened();
    const { symbol, side_words: words, type } = amended.display;
    const set = window.dash_clientside.set_props;
    set("order-title", { children: `${symbol} ${words}, ${type}` });
    for (const [id, number] of fields()) {
      set(`${id}-field`, { hidden: number === undefined });
      set(`${id}-label`, { children: number?.label ?? "" });
      set(id, { value: number === undefined ? "" : shown(number.member) });
    }
    set("order-error", { children: "" });
    set("order-dialog", { is_open: true });
    window.balanceDialogs.focusSoon(NUMBERS[0]);
  }

  const amendOnce = onceUntilOpened(async () => {
    const changes = [];
    for (const [id, number] of fields()) {
      if (number === undefined) {
        continue;
      }
      const { member, format } = number;
      const typed = place(id).value;
      if (typed === shown(member)) {
        continue; // what an order may be without, among it
      }
      const [value, wrong] = read(typed, format);
      if (wrong || isEmpty(typed)) {
        return [true, wrong || "Write a number in every field, or cancel the order in its row."];
      }
      changes.push(`"${member}": ${value}`); // as it was typed: a float would lose digits
    }
    if (changes.length === 0) {
      return [false, ""];
    }
    const path = `/orders/${encodeURIComponent(amended.id)}`;
    const [done, wrong] = await carryOut("PUT", path, `{${changes.join(", ")}}`);
    return [!done, wrong];
  });

  /* The buttons of the dialog, and Enter in its fields: [open, what went wrong]. */
  async function dialog() {
    const woken = window.dash_clientside.callback_context.triggered_id;
    return woken === "order-cancel" ? [false, ""] : amendOnce.confirmed();
  }

  window.balanceAmend = { edit };
  window.dash_clientside = { ...window.dash_clientside, amend: { dialog } };
})();
