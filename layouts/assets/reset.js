/* Every page shows that the account was reset, with a way back. */
import { followAccount } from "./balance.js";
import { toast } from "./toasts.js";

const UNDO_MS = 20000;
const UNDO = { "data-press": "undo-requested", "data-pressed": "{}" };

let known = null; // the account and epoch that are shown
let notice = null; // the toast of the newest reset
let undone = -1; // the epoch that was to be undone on this page, which says itself that it was

document.addEventListener("click", ({ target }) => {
  if (target.closest('[data-press="undo-requested"]')) {
    undone = known?.epoch;
  }
});

followAccount(({ account, epoch, can_undo_reset: canUndo, display }) => {
  const before = known;
  const isSame = before?.account === account;
  known = { account, epoch };
  if (isSame && before.epoch === epoch) {
    canUndo || notice?.remove();
    return;
  }
  notice?.remove();
  if (isSame && canUndo) {
    const message = `Reset to ${display.starting_balance}. Epoch ${display.epoch} begins; the history is kept.`;
    notice = toast(message, "info", { action: ["Undo", UNDO], lasts: UNDO_MS });
  } else if (isSame && undone !== before.epoch) {
    toast(`Epoch ${display.epoch} begins with a balance of ${display.balance}.`, "info");
  }
});
