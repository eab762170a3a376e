/* The dialog that gives an open order other numbers: its prices and its quantity. */
import { balanceAmounts } from "./amounts.js";
import { balanceState } from "./balance.js";
import { register } from "./clientside.js";
import { balanceDialogs } from "./dialogs.js";
import { balanceLive } from "./live.js";
import { balanceRequests } from "./requests.js";
import { balanceTicket } from "./ticket.js";

const { carryOut, onceUntilOpened, previewed } = balanceRequests;
const state = balanceState;
const PREVIEW_PAUSE_MS = 150;
const { read, isEmpty } = balanceAmounts;
// the fields of the numbers that an order of a type has beside its size, in their order
const NUMBERS = ["order-price", "order-second-price"];
const QUANTITY = { label: "Quantity", member: "quantity", format: "quantity" };

const NONE = "–";

let amended = null; // the order that the dialog is about

const place = (id) => document.getElementById(id);
const shown = (member) => (amended.display[member] === NONE ? "" : amended.display[member]);

// what the order has, by the fields of the dialog; an exit for a whole position has no quantity
function fields() {
  const { numbers: all } = balanceTicket.kindOf(amended.type);
  // what follows the price already does so, wherever it was to begin
  const numbers = all.filter(({ optional }) => !optional || amended.best_price === null);
  const found = NUMBERS.map((id, index) => [id, numbers[index]]);
  return [...found, ["order-quantity", amended.quantity === null ? undefined : QUANTITY]];
}

function edit(order) {
  amended = state.snapshot?.open_orders.find((each) => each.id === order);
  if (amended === undefined) {
    return;
  }
  amendOnce.opened();
  const { symbol, side_words: words, type } = amended.display;
  const set = window.dash_clientside.set_props;
  set("order-title", { children: `${symbol} ${words}, ${type}` });
  for (const [id, number] of fields()) {
    set(`${id}-field`, { hidden: number === undefined });
    set(`${id}-label`, { children: number?.label ?? "" });
    set(id, { value: number === undefined ? "" : shown(number.member) });
  }
  set("order-about", { children: "" });
  set("order-error", { children: "" });
  set("order-dialog", { is_open: true });
  balanceDialogs.focusSoon(NUMBERS[0]);
}

// the numbers that were changed, as JSON, empty for none: [JSON, what is wrong]
function changed() {
  const changes = [];
  for (const [id, number] of fields()) {
    if (number === undefined) {
      continue;
    }
    const { member, format } = number;
    const typed = place(id).value;
    if (typed === shown(member)) {
      continue; // what an order may be without, among it
    }
    if (isEmpty(typed)) {
      return ["", "Write a number in every field, or cancel the order in its row."];
    }
    const [value, wrong] = read(typed, format);
    if (wrong) {
      return ["", wrong];
    }
    changes.push(`"${member}": ${value}`); // as it was typed: a float would lose digits
  }
  return [changes.length ? `{${changes.join(", ")}}` : "", ""];
}

const path = () => `/orders/${encodeURIComponent(amended.id)}`;

const amendOnce = onceUntilOpened(async () => {
  const [body, missing] = changed();
  if (body === "") {
    return [missing !== "", missing];
  }
  const [done, wrong] = await carryOut("PUT", path(), body);
  return [!done, wrong];
});

let latest = 0; // the number of the newest request, whose answer alone is shown

/* Says what the order would do with the numbers in the fields. */
async function about() {
  const number = ++latest;
  await new Promise((resolve) => setTimeout(resolve, PREVIEW_PAUSE_MS));
  if (number !== latest || place("order-about") === null) {
    return;
  }
  const [body, missing] = changed();
  const [answer, wrong] = body === "" ? [null, missing] : await previewed(body, path());
  const line = place("order-about");
  if (number === latest && line !== null) {
    line.textContent = answer === null ? wrong : wordsOf(answer);
    line.dataset.kind = answer?.affordable ?? wrong === "" ? "" : "error";
  }
}

function wordsOf({ affordable, warning, display }) {
  if (!affordable) {
    return `This needs ${display.cost}, but only ${display.available} are available.`;
  }
  const { margin, fee, liquidation_price: price } = display;
  return `Margin ${margin}, fee ${fee}, liquidation price ${price}. ${warning}`;
}

/* Says in the open dialog that its order has ended meanwhile. */
function follow({ open_orders: orders }) {
  const line = place("order-error");
  if (amended !== null && line !== null && !orders.some(({ id }) => id === amended.id)) {
    balanceLive.write(line, "The order has ended. History says how, among its orders.");
  }
}

document.addEventListener("input", ({ target }) => {
  amended !== null && [...NUMBERS, "order-quantity"].includes(target.id) && about();
});

/* The buttons of the dialog, and Enter in its fields: [open, what went wrong]. */
async function dialog() {
  const woken = window.dash_clientside.callback_context.triggered_id;
  return woken === "order-cancel" ? [false, ""] : amendOnce.confirmed();
}

state.follow(follow);
export const balanceAmend = { edit };
register({ orderDialog: dialog });
