/* The dialogs: what they ask the server for, and what they say when it is done or refused. */
(() => {
  "use strict";

  const TIMEOUT_MS = 8000;
  const AMOUNT = /^[+-]?(\d+(\.\d*)?|\.\d+)$/;
  const WORDS = {
    deposit: ["Deposit", "Money put in. It is no gain: P&L stays as it is."],
    withdraw: ["Withdraw", "Money taken out. It is no loss: P&L stays as it is."],
    adjust: ["Adjust", "A gain, or a loss with a minus sign. It counts as P&L."],
    balance: ["Set", "What the wallet balance is now. The difference counts as P&L."],
  };

  const noUpdate = () => window.dash_clientside.no_update;
  const woken = () => window.dash_clientside.callback_context.triggered_id;

  // a request that got no answer is repeated with its key, so that it can't be done twice
  let unanswered = { request: null, key: null };

  function keyFor(request) {
    if (unanswered.request !== request) {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      const key = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      unanswered = { request, key };
    }
    return unanswered.key;
  }

  // the number as it was typed, in JSON: a float would lose digits
  function jsonNumber(typed) {
    const text = String(typed ?? "").trim();
    if (!AMOUNT.test(text)) {
      return null;
    }
    const [whole, decimals = ""] = text.replace(/^[+-]/, "").split(".");
    const digits = whole.replace(/^0+(?=\d)/, "") || "0";
    return (text.startsWith("-") ? "-" : "") + digits + (decimals ? `.${decimals}` : "");
  }

  // [done, words]
  async function send(path, body) {
    try {
      const response = await fetch(path, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          "Idempotency-Key": keyFor(path + body),
        },
        body,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const answer = await response.json();
      unanswered = { request: null, key: null };
      if (!response.ok) {
        return [false, answer.detail];
      }
      window.balanceState.accept(answer);
      return [true, answer.message];
    } catch {
      return [
        false,
        "The server does not answer, so it is not known whether this was done. " +
          "Try again when it is back: it will not be done twice.",
      ];
    }
  }

  async function carryOut(path, body) {
    const [done, words] = await send(path, body);
    window.balanceScreen.toast(words, done ? "info" : "error");
    return [done, done ? "" : words];
  }

  // a dialog is put into the page some time after it was asked for
  function focusSoon(id, tries = 120) {
    const field = document.getElementById(id);
    if (field !== null) {
      field.focus();
      field.select();
    } else if (tries > 0) {
      requestAnimationFrame(() => focusSoon(id, tries - 1));
    }
  }

  const notAnAmount = "Write the amount with digits and a point, such as 1234.56.";

  /* Opens, closes and confirms the reset: [open, amount, error]. */
  async function reset(confirm, submit, cancel, ...rest) {
    const [amount, starting] = rest.slice(-2);
    if (woken() === "reset-cancel") {
      return [false, noUpdate(), ""];
    }
    if (woken() !== "reset-confirm" && woken() !== "reset-amount") {
      focusSoon("reset-amount");
      return [true, starting, ""];
    }
    const number = jsonNumber(amount);
    if (number === null) {
      return [true, noUpdate(), notAnAmount];
    }
    const [done, error] = await carryOut("/virtual_balance/reset", `{"balance": ${number}}`);
    return [!done, noUpdate(), error];
  }

  /* Opens, closes and confirms a change of money: [open, amount, note, error]. */
  async function money(open, confirm, amountSubmit, noteSubmit, cancel, action, amount, note) {
    if (woken() === "money-cancel") {
      return [false, noUpdate(), noUpdate(), ""];
    }
    if (woken() === "sidebar-money-btn") {
      focusSoon("money-amount");
      return [true, "", "", ""];
    }
    const number = jsonNumber(amount);
    if (number === null) {
      return [true, noUpdate(), noUpdate(), notAnAmount];
    }
    const noted = note ? `, "note": ${JSON.stringify(note)}` : "";
    const [done, error] = await carryOut("/virtual_balance", `{"${action}": ${number}${noted}}`);
    return [!done, noUpdate(), noUpdate(), error];
  }

  /* What the chosen action is called and does: [button, words]. */
  function describe(action) {
    return WORDS[action];
  }

  window.dash_clientside = { ...window.dash_clientside, dialogs: { reset, money, describe } };
})();
