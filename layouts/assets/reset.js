/* Every page shows that the account was reset, with a way back. */
import { followAccount } from "./balance.js";
import { toast } from "./toasts.js";

const UNDO_MS = 20000;

let known = null; // the account and epoch that are shown
let notice = null; // the toast of the newest reset
let undone = -1; // the epoch that this page wanted to undo

/* Has the last reset undone, after a question where that would end something. */
export function undo() {
  undone = known?.epoch;
  window.dash_clientside.set_props("undo-requested", { data: Date.now() });
}

function forget() {
  notice?.remove();
  notice = null;
}

followAccount(({ account, epoch, can_undo_reset: canUndo, display }) => {
  const before = known;
  known = { account, epoch };
  if (before?.account === account && before.epoch === epoch) {
    canUndo || forget();
    return;
  }
  forget();
  if (before?.account !== account) {
    return;
  }
  if (canUndo) {
    const message = `Reset to ${display.starting_balance}. Epoch ${display.epoch} begins; the history is kept.`;
    notice = toast(message, "info", { action: ["Undo", undo], lasts: UNDO_MS });
  } else if (undone !== before.epoch) {
    toast(`Epoch ${display.epoch} begins with a balance of ${display.balance}.`, "info");
  }
});
