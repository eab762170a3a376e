/* The dialogs: what they ask the server for, and what they say when it is done or refused. */
import { balanceAmounts } from "./amounts.js";
import { register } from "./clientside.js";
import { balanceRequests } from "./requests.js";
import { balanceToasts } from "./toasts.js";

const WORDS = {
  deposit: ["Deposit", "Money put in. It is no gain: P&L stays as it is."],
  withdraw: ["Withdraw", "Money taken out. It is no loss: P&L stays as it is."],
  adjust: ["Adjust", "A gain, or a loss with a minus sign. It counts as P&L."],
  balance: ["Set", "What the wallet balance is now. The difference counts as P&L."],
};

const noUpdate = () => window.dash_clientside.no_update;
const { send, carryOut, onceUntilOpened } = balanceRequests;
const { read } = balanceAmounts;
const woken = () => window.dash_clientside.callback_context.triggered_id;

// a dialog is put into the page some time after it was opened; `then` is called when it is there
function focusSoon(id, then = () => {}, tries = 120) {
  const field = document.getElementById(id);
  if (field?.checkVisibility()) {
    field.focus();
    field.select?.();
    then();
  } else if (tries > 0) {
    requestAnimationFrame(() => focusSoon(id, then, tries - 1));
  }
}

const resetOnce = onceUntilOpened(async (amount) => {
  const [number, wrong] = read(amount);
  if (number === null) {
    return [true, noUpdate(), wrong];
  }
  const [done, words, , wasDone] = await send("POST", "/virtual_balance/reset", `{"balance": ${number}}`);
  // every page tells of a reset that is done now, this one as well
  if (!done || wasDone) {
    balanceToasts.toast(words, done ? "info" : "error");
  }
  return [!done, noUpdate(), done ? "" : words];
});

/* Opens, closes and confirms the reset: [open, amount, error]. */
async function reset(confirm, submit, cancel, ...rest) {
  const [amount, starting] = rest.slice(-2);
  if (woken() === "reset-cancel") {
    return [false, noUpdate(), ""];
  }
  if (woken() !== "reset-confirm" && woken() !== "reset-amount") {
    resetOnce.opened();
    focusSoon("reset-amount");
    return [true, starting, ""];
  }
  return resetOnce.confirmed(amount);
}

const moneyOnce = onceUntilOpened(async (action, amount, note) => {
  const [number, wrong] = read(amount);
  if (number === null) {
    return [true, noUpdate(), noUpdate(), wrong];
  }
  const noted = note ? `, "note": ${JSON.stringify(note)}` : "";
  const [done, error] = await carryOut("POST", "/virtual_balance", `{"${action}": ${number}${noted}}`);
  return [!done, noUpdate(), noUpdate(), error];
});

/* Opens, closes and confirms a change of money: [open, amount, note, error]. */
async function money(open, confirm, amountSubmit, noteSubmit, cancel, action, amount, note) {
  if (woken() === "money-cancel") {
    return [false, noUpdate(), noUpdate(), ""];
  }
  if (woken() === "sidebar-money-btn") {
    moneyOnce.opened();
    focusSoon("money-amount");
    return [true, "", "", ""];
  }
  return moneyOnce.confirmed(action, amount, note);
}

/* What the chosen action is called and does: [button, words]. */
function describe(action) {
  return WORDS[action];
}

/* Moves the focus to what a callback in Python says. */
function moveFocus({ id }) {
  focusSoon(id);
}

export const balanceDialogs = { focusSoon };
register({ resetDialog: reset, moneyDialog: money, describeMoney: describe, moveFocus });
