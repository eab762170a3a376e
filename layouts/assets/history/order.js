/* One order, from its placing to its end: its terms, what became of it, and where the ledger says so. */
import { balanceAddress } from "../address.js";
import { balanceState } from "../balance.js";
import { page } from "../page.js";
import { balanceParts } from "../parts.js";
import { balanceHistoryColumns } from "./columns.js";
import { balanceEntry } from "./entry.js";
import { balanceHistoryRequests } from "./requests.js";
import { balanceHistory } from "./view.js";

const { make, moment, dialog, problem } = balanceParts;
const { PATH, href, parse, listOf } = balanceHistory;
const { exactMoment } = balanceHistoryColumns;
const { ask } = balanceHistoryRequests;
const { term, figures, section, above } = balanceEntry;
const { go } = balanceAddress;

const TERMS = {
  ...{ side: "Side", type: "Type", quantity: "Quantity", price: "Limit price" },
  ...{ trigger_price: "Trigger price", take_profit: "Take-profit", stop_loss: "Stop-loss" },
  leverage: "Leverage",
};
const FILLED = {
  ...{ filled_quantity: "Filled", average_price: "Average price", fee: "Fee" },
  ...{ liquidity: "Liquidity", realized_pnl: "Realised P&L" },
};
const NONE = "–";

let made = null;
let shown = null; // the id of the order
let revision = null; // the account's as the order was read

const part = (name) => made.querySelector(`[data-part="${name}"]`);

// the order is a part of the address: what closes it takes it out there
function closed() {
  shown = null;
  const view = parse(location.search);
  if (location.pathname !== PATH || view.order === null) {
    return;
  }
  history.state?.isOpened ? history.back() : go(href(listOf(view)), { replace: true });
}

function build() {
  const body = make("div", { "data-part": "body", class: "entry-body" });
  made = dialog("order-record-dialog", { title: "Order", body: [body], foot: [] });
  made.addEventListener("close", closed);
}

const given = (names, display) =>
  Object.fromEntries(Object.entries(names).filter(([name]) => display[name] !== NONE));

function happened(words, place, time) {
  const when = time ? [exactMoment(time), " (", moment(time), "), "] : [];
  return place ? term(words, ...when, above({ entry: place }, `entry ${place}`)) : [];
}

function summary(row) {
  return make(
    "dl",
    { class: "entry-figures" },
    ...term("State", make("strong", {}, row.display.state)),
    ...(row.why ? term("Why it ended", row.why) : []),
    ...(row.because ? term("Why it was placed", row.because) : []),
    ...happened("Placed", row.place, row.time),
    ...happened("Last changed", row.changed_place, null),
    ...happened("Ended", row.ended_place, row.ended_at),
    ...term("Whose", row.display.owner),
    ...(row.client_id ? term("Client id", row.client_id) : []),
    ...(row.group ? term("OCO", above({ order: row.group }, row.group)) : []),
  );
}

// what an amendment or the trigger has changed
function asAsked({ asked, ...row }) {
  const names = { quantity: "Quantity", price: "Limit price", trigger_price: "Trigger price" };
  const other = Object.entries(names).filter(([name]) => asked && asked[name] !== row[name]);
  const words = other.flatMap(([name, label]) => term(label, asked.display[name]));
  return other.length ? [section("As it was placed", make("dl", { class: "entry-figures" }, ...words))] : [];
}

function bodyOf(row) {
  const { display } = row;
  const hasFilled = row.state === "FILLED";
  return [
    summary(row),
    section(`${row.symbol}`, figures(given(TERMS, display), display)),
    ...asAsked(row),
    ...(hasFilled ? [section("Its fill", figures(given(FILLED, display), display))] : []),
  ];
}

function fill(title, body) {
  made.querySelector(".modal-title").textContent = title;
  part("body").replaceChildren(...body);
}

async function read(id) {
  const [answer, words] = await ask(`/orders/${encodeURIComponent(id)}`);
  if (shown !== id) {
    return;
  }
  revision = balanceState.snapshot?.revision ?? null;
  if (answer !== null) {
    fill(`Order ${answer.order.id}`, bodyOf(answer.order));
    return;
  }
  fill(`Order ${id}`, [problem(words ?? "The server does not answer. Try again when it is back.")]);
}

/* Opens the order with an id, or shows it in the dialog that is open. */
function open(id) {
  made ?? build();
  if (shown !== id) {
    shown = id;
    made.open || fill(`Order ${id}`, [make("div", { class: "entry-loading" })]);
    read(id);
  }
  made.open || made.showModal();
}

function close() {
  made?.open && made.close();
}

// what is open may end while somebody looks
balanceState.follow((now) => {
  made?.open && revision !== null && now.revision > revision && read(shown);
});

export const balanceOrder = { open, close };
page.balanceOrder = balanceOrder;
