/* What there is to a reset beside its dialog: every page tells of it, with a way back. */
import { balanceState } from "./balance.js";
import { balanceQuestions } from "./bots/question.js";
import { balanceRequests } from "./requests.js";
import { balanceToasts } from "./toasts.js";

const UNDO_MS = 20000;
const UNDO = "/virtual_balance/reset/undo";

let known = null; // the account and epoch that are shown
let notice = null; // the toast of the newest reset
let isUndoing = false;

function follow(snapshot) {
  const { account, epoch, can_undo_reset: canUndo, display } = snapshot;
  const before = known;
  known = { account, epoch };
  if (before?.account === account && before.epoch === epoch) {
    if (!canUndo) {
      forget();
    }
    return;
  }
  forget();
  if (before?.account !== account) {
    return;
  }
  if (canUndo) {
    const words = `Reset to ${display.starting_balance}. Epoch ${display.epoch} begins; the history is kept.`;
    notice = balanceToasts.toast(words, "info", { action: ["Undo", undo], lasts: UNDO_MS });
  } else if (!isUndoing) {
    const words = `Epoch ${display.epoch} begins with a balance of ${display.balance}.`;
    balanceToasts.toast(words, "info");
  }
}

function forget() {
  notice && balanceToasts.remove(notice);
  notice = null;
}

const BOOKED = ["realized_pnl", "fees_paid", "funding_paid", "deposits", "withdrawals", "adjustments"];

/* What an undo would end, in sentences. */
function ended(snapshot) {
  const { positions, open_orders: orders, display } = snapshot;
  const closed = positions.map(
    (each) => `${each.symbol} ${each.display.side_words}, ${each.display.quantity}, is closed.`,
  );
  if (orders.length > 0) {
    closed.push(orders.length === 1 ? "1 order is cancelled." : `${orders.length} orders are cancelled.`);
  }
  if (closed.length > 0 || BOOKED.some((name) => snapshot[name] !== 0)) {
    closed.push(
      `Epoch ${display.epoch} ends, with a balance of ${display.balance} and a P&L of ` +
        `${display.current_pnl} now. It stays in the history.`,
    );
  }
  return closed;
}

async function isWanted(snapshot) {
  const about = ended(snapshot);
  if (about.length === 0) {
    return true;
  }
  const words = "The account goes on as the reset found it. What has happened since ends with that:";
  const answers = [["undo", "Undo the reset", "arrow-counterclockwise", true]];
  return (await balanceQuestions.ask("Undo the reset?", words, about, answers)) === "undo";
}

/* Undoes the last reset, after a confirmation: whether it is done. */
async function undo() {
  const { snapshot } = balanceState;
  if (isUndoing || snapshot === null) {
    return false;
  }
  isUndoing = true;
  try {
    if (snapshot.can_undo_reset && !(await isWanted(snapshot))) {
      return false;
    }
    // what happened since the question was not part of it
    const headers = { "If-Match": `"${snapshot.revision}"` };
    const [done] = await balanceRequests.carryOut("POST", UNDO, "", headers);
    return done;
  } finally {
    isUndoing = false;
  }
}

balanceState.follow(follow);
export const balanceReset = { undo };
