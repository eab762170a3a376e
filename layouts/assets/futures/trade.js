/* What the buttons of a position or an order do: close and cancel, and open its dialog, which follows it from
 * then on.
 */
import { read } from "../amounts.js";
import { followAccount, snapshot } from "../balance.js";
import { register } from "../clientside.js";
import { carryOut } from "../requests.js";

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

register({ rested, nameClosing, goToClosing });
