/* The dialog that gives an open order another price, trigger price or quantity. */
(() => {
  "use strict";

  const { carryOut, onceUntilOpened } = window.balanceRequests;
  const { read, isEmpty } = window.balanceAmounts;
  // what an order may have, and what kind of number it is
  const KINDS = { price: "money", trigger_price: "money", quantity: "quantity" };

  let amended = null; // the order that the dialog is about

  const id = (name) => `order-${name.replace("_", "-")}`;
  const place = (name) => document.getElementById(id(name));
  // as an exit for a whole position has no quantity, an order has only some of them
  const members = () => Object.keys(KINDS).filter((name) => amended[name] !== null);

  function edit(order) {
    amended = window.balanceState.snapshot?.open_orders.find((each) => each.id === order);
    if (amended === undefined) {
      return;
    }
    amendOnce.opened();
    const { symbol, side_words: words, type } = amended.display;
    const set = window.dash_clientside.set_props;
    set("order-title", { children: `${symbol} ${words}, ${type}` });
    for (const name of Object.keys(KINDS)) {
      set(id(name), { value: amended[name] === null ? "" : amended.display[name] });
      set(`${id(name)}-field`, { hidden: amended[name] === null });
    }
    set("order-error", { children: "" });
    set("order-dialog", { is_open: true });
    window.balanceDialogs.focusSoon(id(members()[0]));
  }

  const amendOnce = onceUntilOpened(async () => {
    const changes = [];
    for (const name of members()) {
      const typed = place(name).value;
      const [number, wrong] = read(typed, KINDS[name]);
      if (wrong || isEmpty(typed)) {
        return [true, wrong || "Write a number in every field, or cancel the order in its row."];
      }
      if (typed !== amended.display[name]) {
        changes.push(`"${name}": ${number}`); // as it was typed: a float would lose digits
      }
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
