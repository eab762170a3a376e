/* What is done with positions and orders that are there: close, cancel, and the dialog that sets
 * take-profit and stop-loss, closes a part, moves margin or reverses.
 */
import { balanceAmounts } from "./amounts.js";
import { balanceState } from "./balance.js";
import { balanceQuestions } from "./bots/question.js";
import { register } from "./clientside.js";
import { balanceDialogs } from "./dialogs.js";
import { balanceLive } from "./live.js";
import { balanceRequests } from "./requests.js";

const { carryOut, onceUntilOpened, previewed } = balanceRequests;
const { read, isEmpty } = balanceAmounts;
const ASK_MS = 4000;
const PREVIEW_PAUSE_MS = 150;
const NONE = "–";
const FIELDS = ["take-profit", "stop-loss", "quantity", "margin"];
const FACTS = ["entry_price", "mark_price", "unrealized_pnl", "liquidation_price"];

let edited = null; // the position that the dialog is about

const place = (name) => document.getElementById(`position-${name}`);
const path = (symbol, what = "close") => `/positions/${symbol}/${what}`;
const close = (symbol, percent) => carryOut("POST", path(symbol), `{"percent": ${percent}}`);
const cancel = (id) => carryOut("DELETE", `/orders/${encodeURIComponent(id)}`);
const shown = (text) => (text === NONE ? "" : text);
const find = (symbol) =>
  balanceState.snapshot?.positions.find((each) => each.symbol === symbol);

function edit(symbol) {
  edited = find(symbol);
  if (edited === undefined) {
    return;
  }
  changeOnce.opened();
  const { display } = edited;
  const set = window.dash_clientside.set_props;
  set("position-title", { children: `${symbol} ${display.side_words}, ${display.quantity}` });
  set("position-quantity", { value: "" });
  set("position-margin", { value: "" });
  set("position-take-profit", { value: shown(display.take_profit) });
  set("position-stop-loss", { value: shown(display.stop_loss) });
  set("position-error", { children: "" });
  set("position-dialog", { is_open: true });
  balanceDialogs.focusSoon("position-take-profit", () => {
    follow();
    FIELDS.forEach(about);
  });
}

// the order that a field of the dialog asks for, as JSON: [JSON, what is wrong]
function orderOf(name) {
  const isPart = name === "quantity";
  const [number, wrong] = read(place(name).value, isPart ? "quantity" : "money");
  const type = { "take-profit": "take_profit_market", "stop-loss": "stop_market" }[name] ?? "market";
  const members = {
    symbol: edited.symbol,
    side: edited.side === "long" ? "sell" : "buy",
    type,
    reduce_only: true,
  };
  // a number as it was typed: a float would lose digits
  const last = `, "${isPart ? "quantity" : "trigger_price"}": ${number}}`;
  return [number && JSON.stringify(members).slice(0, -1) + last, wrong];
}

const latest = {}; // the number of the newest request for each field, whose answer alone is shown

/* Says what the number in a field would bring. */
async function about(name) {
  const number = (latest[name] = (latest[name] ?? 0) + 1);
  const say = (words, kind = "") => {
    const line = place(`${name}-about`);
    if (number === latest[name] && line !== null) {
      line.textContent = words;
      line.dataset.kind = kind;
    }
  };
  showPart();
  if (isEmpty(place(name).value)) {
    say("");
    return;
  }
  await new Promise((resolve) => setTimeout(resolve, PREVIEW_PAUSE_MS));
  if (number !== latest[name] || place(name) === null) {
    return;
  }
  const isMargin = name === "margin";
  const [body, wrong] = isMargin ? marginOf() : orderOf(name);
  if (wrong) {
    say(wrong, "error");
    return;
  }
  const [answer, fault] = await previewed(body, isMargin ? path(edited.symbol, "margin") : "/orders");
  if (answer === null) {
    say(fault, "error");
  } else {
    const { realized_pnl: pnl, fee } = answer.display;
    say(isMargin ? positionWords(answer.display) : `P&L ${pnl}, fee ${fee}`);
  }
}

const positionWords = ({ isolated_margin: margin, liquidation_price: price, available_after: left }) =>
  `Margin ${margin}, liquidation price ${price}, available ${left}`;

// how much margin its field moves, as JSON: [JSON, what is wrong]
function marginOf() {
  const [amount, wrong] = read(place("margin").value);
  return [`{"amount": ${amount}}`, wrong];
}

// the button says what it closes, and closes nothing that is not said
function showPart() {
  const [number] = read(place("quantity").value, "quantity");
  const base = edited.symbol.split("/")[0];
  place("close").disabled = number === null;
  balanceLive.write(place("close"), number === null ? "Close" : `Close ${number} ${base}`);
}

/* Shows the newest figures of the position while its dialog is open. */
function follow() {
  if (edited === null || place("dialog") === null || place("close") === null) {
    return;
  }
  const now = find(edited.symbol);
  const write = balanceLive.write;
  FACTS.forEach((field) => write(place(field), now?.display[field] ?? NONE));
  if (now === undefined) {
    write(place("error"), "The position is closed.");
  } else if (now.quantity !== edited.quantity || now.entry_price !== edited.entry_price) {
    edited = now;
    write(place("title"), `${now.symbol} ${now.display.side_words}, ${now.display.quantity}`);
    FIELDS.forEach(about);
  }
}

// sets or removes one of the position's two exits: what went wrong, or nothing
async function setExit(name) {
  const old = balanceState.snapshot.open_orders.find(
    (each) => each.symbol === edited.symbol && each.reason === name.replace("-", "_"),
  );
  const { value } = place(name);
  if (isEmpty(value)) {
    return old === undefined ? "" : (await cancel(old.id))[1];
  }
  const [body, wrong] = orderOf(name);
  if (wrong) {
    return wrong;
  }
  const isSame = old !== undefined && Number(read(value)[0]) === Number(old.trigger_price);
  return isSame ? "" : (await carryOut("POST", "/orders", body))[1];
}

async function setBoth() {
  const first = await setExit("take-profit");
  const second = await setExit("stop-loss");
  return [first, second].filter(Boolean).join(" ");
}

async function closePart() {
  const [number, wrong] = read(place("quantity").value, "quantity");
  return wrong || (await carryOut("POST", path(edited.symbol), `{"quantity": ${number}}`))[1];
}

async function moveMargin() {
  const [body, wrong] = marginOf();
  return wrong || (await carryOut("POST", path(edited.symbol, "margin"), body))[1];
}

/* Reverses the position, after a question that says what it would be then: what went wrong. */
async function reverse() {
  const { symbol, display } = edited;
  const [answer, wrong] = await previewed(undefined, path(symbol, "reverse"));
  if (answer === null) {
    return wrong;
  }
  const now = answer.display;
  const words = `The ${display.side.toLowerCase()} of ${display.quantity} is closed at market, and as much is
    opened on the other side. Its take-profit and stop-loss go with it.`;
  const about = [`Realised P&L ${now.realized_pnl}, fees ${now.fee}`, positionWords(now)];
  const answers = [["reverse", `Reverse to ${now.side.toLowerCase()}`, "", true]];
  const title = `Reverse ${symbol} to ${now.side.toLowerCase()} ${now.quantity}, ${now.leverage}?`;
  const chosen = await balanceQuestions.ask(title, words, about, answers);
  return chosen === null ? null : (await carryOut("POST", path(symbol, "reverse")))[1];
}

// what a button of the dialog does; Enter in a field does the same
const ACTIONS = {
  "position-close": closePart,
  "position-move-margin": moveMargin,
  "position-margin": moveMargin,
  "position-reverse": reverse,
};

const changeOnce = onceUntilOpened(async (woken) => {
  const wrong = await (ACTIONS[woken] ?? setBoth)();
  // null: it was not done after all, and nothing went wrong
  return [wrong !== "", wrong ?? ""];
});

/* The buttons of the position's dialog, and Enter in its fields: [open, what went wrong]. Enter saves
 * the exits; in the quantity it goes on to the button that says what it closes. */
async function dialog() {
  const woken = window.dash_clientside.callback_context.triggered_id;
  if (woken === "position-cancel") {
    return [false, ""];
  }
  if (woken === "position-quantity") {
    place("close").focus();
    return [window.dash_clientside.no_update, window.dash_clientside.no_update];
  }
  return changeOnce.confirmed(woken);
}

// a number that was typed, or a part of the position that was pressed
document.addEventListener("input", ({ target }) => {
  const name = FIELDS.find((each) => target.id === `position-${each}`);
  name && about(name);
});
document.addEventListener("click", ({ target }) => {
  const button = target.closest('[id^="position-part-"]');
  button && fillPart(Number(button.dataset.part));
});

// a part of the position as it is now, on its step: the server knows both
async function fillPart(percent) {
  const side = edited.side === "long" ? "sell" : "buy";
  const [answer, wrong] = await previewed(
    JSON.stringify({ symbol: edited.symbol, side, percent, reduce_only: true }),
  );
  if (place("quantity") === null) {
    return;
  }
  const [quantity] = answer?.display.quantity.split(" ") ?? [""];
  window.dash_clientside.set_props("position-quantity", { value: quantity });
  place("quantity").value = quantity;
  about("quantity");
  balanceLive.explain(place("error"), wrong);
}

/* Presses of the button `id`, called `label`, that ask `question()` first: whether this one confirms. */
function confirmation(id, label, question) {
  let asking = null;
  return () => {
    const button = document.getElementById(id);
    const isConfirmed = asking !== null;
    clearTimeout(asking);
    const back = () => {
      asking = null;
      button.textContent = label;
    };
    if (isConfirmed) {
      back();
    } else {
      button.textContent = question();
      asking = setTimeout(back, ASK_MS);
    }
    return isConfirmed;
  };
}

const counted = (what, rows) => (rows.length === 1 ? `1 ${what}` : `${rows.length} ${what}s`);
const ordersConfirmed = confirmation(
  "futures-cancel-all",
  "Cancel all",
  () => `Cancel ${counted("order", balanceState.snapshot.open_orders)}?`,
);
const positionsConfirmed = confirmation(
  "futures-close-all",
  "Close all",
  () => `Close ${counted("position", balanceState.snapshot.positions)} at market?`,
);

/* Cancels all open orders, after a confirmation. */
async function cancelAll() {
  ordersConfirmed() && (await carryOut("DELETE", "/orders"));
  return window.dash_clientside.no_update;
}

/* Closes all positions, after a confirmation. */
async function closeAll() {
  positionsConfirmed() && (await carryOut("POST", "/positions/close"));
  return window.dash_clientside.no_update;
}

balanceState.follow(follow);
export const balanceTrade = { close, cancel, edit };
register({ positionDialog: dialog, cancelAll, closeAll });
