/* Says that the server has taken over from another one that has ended, to whoever had the page open. */
import { balanceState } from "../balance.js";
import { balanceToasts } from "../toasts.js";

let known = performance.timeOrigin; // when the last one was that needs no words
let box = null;

function say({ version, message }) {
  if (version > known) {
    known = version;
    box && balanceToasts.remove(box);
    box = balanceToasts.toast(message, "info", { stays: true });
  }
}

balanceState.hear("takeover", { hear: (text) => say(JSON.parse(text)), refresh() {} });
