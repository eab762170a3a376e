/* What is done with positions and orders that are there: close, cancel, and the dialog that closes a
 * part or sets take-profit and stop-loss.
 */
(() => {
  "use strict";

  const { jsonNumber, carryOut, askedOnce } = window.balanceRequests;
  const ASK_MS = 4000;

  let edited = null; // the position that the dialog is about

  const path = (symbol) => `/positions/${symbol}/close`;
  const close = (symbol, percent) => carryOut("POST", path(symbol), `{"percent": ${percent}}`);
  const cancel = (id) => carryOut("DELETE", `/orders/${encodeURIComponent(id)}`);
  const plain = (text) => (text === "–" ? "" : text.replaceAll(",", ""));

  function edit(symbol) {
    edited = window.balanceState.snapshot.positions.find((each) => each.symbol === symbol);
    if (edited === undefined) {
      return;
    }
    changeOnce.opened();
    const { display } = edited;
    const set = window.dash_clientside.set_props;
    set("position-title", { children: `${symbol} ${display.side} ${display.quantity}` });
    set("position-quantity", { value: plain(display.quantity) });
    set("position-take-profit", { value: plain(display.take_profit) });
    set("position-stop-loss", { value: plain(display.stop_loss) });
    set("position-error", { children: "" });
    set("position-dialog", { is_open: true });
    window.balanceDialogs.focusSoon("position-quantity");
  }

  const isEmpty = (typed) => !String(typed ?? "").trim();

  // sets or removes one of the position's two exits: what went wrong, or nothing
  async function setExit(type, field, typed) {
    const { symbol, side } = edited;
    const old = window.balanceState.snapshot.open_orders.find(
      (each) => each.symbol === symbol && each.type === type && each.quantity === null,
    );
    if (isEmpty(typed)) {
      return old === undefined ? "" : (await cancel(old.id))[1];
    }
    const number = jsonNumber(typed);
    if (number === null) {
      return `${typed} is no price: write it with digits and a point.`;
    }
    if (old !== undefined && Number(number) === Number(old.trigger_price)) {
      return "";
    }
    const closing = side === "long" ? "sell" : "buy";
    const body =
      `{"symbol": ${JSON.stringify(symbol)}, "side": "${closing}", "type": "${type}", ` +
      `"trigger_price": ${number}, "reduce_only": true}`;
    return (await carryOut("POST", "/orders", body))[1];
  }

  async function setBoth(takeProfit, stopLoss) {
    const first = await setExit("take_profit_market", "take_profit", takeProfit);
    const second = await setExit("stop_market", "stop_loss", stopLoss);
    return [first, second].filter(Boolean).join(" ");
  }

  async function closePart(quantity) {
    const number = jsonNumber(quantity);
    if (number === null) {
      return `${quantity ?? ""} is no quantity: write it with digits and a point.`.trim();
    }
    return (await carryOut("POST", path(edited.symbol), `{"quantity": ${number}}`))[1];
  }

  const changeOnce = askedOnce(async (woken, quantity, takeProfit, stopLoss) => {
    const wrong =
      woken === "position-set" ? await setBoth(takeProfit, stopLoss) : await closePart(quantity);
    return [wrong !== "", wrong];
  });

  /* The buttons of the position's dialog: [open, what went wrong]. */
  async function dialog(cancelled, closed, submitted, both, ...values) {
    const woken = window.dash_clientside.callback_context.triggered_id;
    return woken === "position-cancel" ? [false, ""] : changeOnce.confirmed(woken, ...values);
  }

  let asking = null;

  /* Cancels all open orders, once it was asked for twice. */
  async function cancelAll() {
    const button = document.getElementById("futures-cancel-all");
    const back = () => {
      asking = null;
      button.textContent = "Cancel all";
    };
    if (asking === null) {
      const count = window.balanceState.snapshot.open_orders.length;
      button.textContent = count === 1 ? "Cancel 1 order?" : `Cancel ${count} orders?`;
      asking = setTimeout(back, ASK_MS);
      return window.dash_clientside.no_update;
    }
    clearTimeout(asking);
    back();
    await carryOut("DELETE", "/orders");
    return window.dash_clientside.no_update;
  }

  window.balanceTrade = { close, cancel, edit };
  window.dash_clientside = { ...window.dash_clientside, trade: { dialog, cancelAll } };
})();
