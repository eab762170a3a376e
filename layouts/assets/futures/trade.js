/* What the buttons beside positions and orders do: close and cancel, at once or after a confirmation, and
 * open the dialog of one, which follows it from then on.
 */
import { read } from "../amounts.js";
import { followAccount, snapshot } from "../balance.js";
import { register } from "../clientside.js";
import { carryOut } from "../requests.js";

const CONFIRM_MS = 4000;
const REST_MS = 150;

const dash = window.dash_clientside;

export const close = (symbol, percent) =>
  carryOut("POST", `/positions/${symbol}/close`, `{"percent": ${percent}}`);
export const cancel = (id) => carryOut("DELETE", `/orders/${encodeURIComponent(id)}`);

/* What of a position or an order its dialog must hear of; empty where it has ended. */
const STATES = {
  position({ positions }, symbol) {
    const found = positions.find((each) => each.symbol === symbol);
    return found === undefined ? "" : `${found.side} ${found.quantity} ${found.entry_price}`;
  },
  order: ({ open_orders: orders }, id) => (orders.some((each) => each.id === id) ? "open" : ""),
};

const edited = {}; // what each dialog is about, and its state, by the dialog's name

/* Opens the dialog called `name` on the position or the order with that key. */
export function edit(name, key) {
  edited[name] = { key, state: STATES[name](snapshot, key) };
  dash.set_props(`${name}-edited`, { data: { key, at: Date.now() } });
}

followAccount((snapshot) => {
  for (const [name, each] of Object.entries(edited)) {
    const state = STATES[name](snapshot, each.key);
    if (state !== each.state && document.getElementById(`${name}-dialog`) !== null) {
      each.state = state;
      dash.set_props(`${name}-changed`, { data: state });
    }
  }
});

/* What stands in the fields of a dialog once it has rested for a moment: Dash drops what came before. */
async function rested(...typed) {
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  return typed;
}

/* What the button says that closes a part, and whether it is off: it closes nothing that is not said. */
function nameClosing(typed, { key }) {
  const [number] = read(typed, "quantity");
  return number === null ? ["Close", true] : [`Close ${number} ${key.split("/")[0]}`, false];
}

/* Enter in the quantity only goes on to the button that says what it closes. */
function goToClosing() {
  document.getElementById("position-close").focus();
  return dash.no_update;
}

/* Presses of a button that asks `question()` first, in its own text: whether this one confirms. */
function confirmation(id, question) {
  let asking = null;
  let label = "";
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
      label = button.textContent;
      button.textContent = question(snapshot);
      asking = setTimeout(back, CONFIRM_MS);
    }
    return isConfirmed;
  };
}

const counted = (what, { length }) => (length === 1 ? `1 ${what}` : `${length} ${what}s`);
const ordersConfirmed = confirmation(
  "futures-cancel-all",
  ({ open_orders: orders }) => `Cancel ${counted("order", orders)}?`,
);
const positionsConfirmed = confirmation(
  "futures-close-all",
  ({ positions }) => `Close ${counted("position", positions)} at market?`,
);

const cancelAll = (presses) => (ordersConfirmed() ? presses : dash.no_update);
const closeAll = (presses) => (positionsConfirmed() ? presses : dash.no_update);

register({ rested, nameClosing, goToClosing, cancelAll, closeAll });
