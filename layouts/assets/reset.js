/* Every page shows that the account was reset, with a way back. */
import { followAccount } from "./balance.js";
import { toast } from "./toasts.js";

const UNDO_MS = 20000;
const UNDO = { "data-press": "undo-requested", "data-pressed": "{}" };

// the account and epoch that are shown, the toast of the reset that began it, and whether it was to be undone on
// this page, which says itself that it was
let shown = {};

document.addEventListener("click", ({ target }) => {
  shown.isUndone ||= target.closest('[data-press="undo-requested"]') !== null;
});

followAccount(({ account, epoch, can_undo_reset: canUndo, display }) => {
  const before = shown;
  const isSame = before.account === account;
  if (isSame && before.epoch === epoch) {
    canUndo || before.notice?.remove();
    return;
  }
  shown = { account, epoch };
  before.notice?.remove();
  if (isSame && canUndo) {
    const message = `Reset to ${display.starting_balance}. Epoch ${display.epoch} begins; the history is kept.`;
    shown.notice = toast(message, "info", { action: ["Undo", UNDO], lasts: UNDO_MS });
  } else if (isSame && !before.isUndone) {
    toast(`Epoch ${display.epoch} begins with a balance of ${display.balance}.`, "info");
  }
});
