/* The order ticket: what its fields say of themselves, the preview of what they ask for, and its order. */
import { followAccount, snapshot } from "../balance.js";
import { register } from "../clientside.js";
import { explain, write } from "../live.js";
import { carryOut, previewed } from "../requests.js";
import { chooseLeverage, followLeverage, isChosen } from "./leverage.js";
import { isOco, kindOf, limitOf, NUMBERS, orderOf, pathOf } from "./order.js";

const PREFIX = "futures-";
const PAUSE_MS = 150;
const REFRESH_MS = 1000;
const PREVIEWED = "#futures-panel .preview dd";
// a limit that is so far through the market, in percent, may be a slip
const SLIP_PERCENT = 5;
const SIDES = { buy: "Buy / Long", sell: "Sell / Short" };

let form = null; // what is in the fields, by their ids without the prefix
let placing = null; // the order that is on its way
let timer = null;
let latest = 0; // the number of the newest preview
let previewedAt = 0; // when it was fetched

const dash = window.dash_clientside;
const place = (name) => document.getElementById(PREFIX + name);
const put = (name, value) => dash.set_props(PREFIX + name, { value });

function note(message, kind = "") {
  const element = place("ticket-note");
  explain(element, message);
  element.dataset.kind = kind;
}

function show(preview) {
  // of an OCO, the figures of the limit, and what both need
  const display = { ...preview?.orders?.[0].display, ...preview?.display };
  for (const element of document.querySelectorAll(PREVIEWED)) {
    write(element, display[element.id.slice("futures-preview-".length)] ?? "–");
  }
}

// what each of the two orders of an OCO would bring
function outcomes([limit, stop]) {
  const text = ({ display }) => [
    `at ${display.price}`,
    ...(display.realized_pnl === "–" ? [] : [`P&L ${display.realized_pnl}`]),
    `fee ${display.fee}`,
  ];
  return `Limit: ${text(limit).join(", ")}. Stop: ${text(stop).join(", ")}.`;
}

// what is said of an order that was previewed, and how
function remark({ affordable, display, orders, warning }) {
  if (!affordable) {
    return [`This needs ${display.cost}, but only ${display.available} are available.`, "error"];
  }
  return orders !== undefined && warning === "" ? [outcomes(orders)] : [warning, "warning"];
}

async function preview() {
  const number = ++latest;
  const [body, missing] = orderOf(form);
  previewedAt = Date.now();
  if (body === null) {
    show(null);
    allow(true);
    // what is not typed yet is no fault, unless the button was pressed and has said so
    const isOpen = missing.startsWith("Enter") && place("ticket-note").textContent !== missing;
    note(isOpen ? "" : missing, "error");
    return;
  }
  const [answer, wrong] = await previewed(body, pathOf(form));
  if (number === latest) {
    show(answer);
    allow(answer?.affordable ?? true);
    note(...(answer === null ? [wrong, "error"] : remark(answer)));
  }
}

const rules = () => snapshot?.market.prices[form.symbol];
const base = () => rules()?.base ?? form.symbol?.split("/")[0];

// what can't be paid is not to be had, and the button says so
function allow(isAffordable) {
  const button = place("submit");
  // while an order is on its way the button rests
  button.disabled = !isAffordable || placing !== null;
  write(button, isAffordable ? `${SIDES[form.side]} ${base()}` : "Not enough available");
}

/* Empties what was meant for another symbol: its prices and exits, and a size in its base unit. */
function emptyForSymbol() {
  const sizes = form.unit === "quantity" ? ["size"] : [];
  for (const name of [...NUMBERS, "take-profit", "stop-loss", ...sizes]) {
    put(name, "");
    form[name] = "";
  }
}

// which fields there are, and what they are called
function arrange() {
  const { numbers, timed } = kindOf(form.type);
  NUMBERS.forEach((name, index) => {
    const { label = "", optional = false } = numbers[index] ?? {};
    place(`${name}-field`).hidden = label === "";
    place(`${name}-label`).textContent = optional ? `${label} (optional)` : label;
  });
  place("force-field").hidden = !timed;
  place("bracket").hidden = !form.options.includes("bracket");
  place("client-id-field").hidden = isOco(form) || !form.options.includes("named");
  document.querySelector('#futures-options [value="named"]').parentElement.hidden = isOco(form);
  place("leverage").max = rules()?.max_leverage ?? place("leverage").max;
  place("unit").options[0].textContent = base();
  place("submit").dataset.side = form.side;
}

/* Shows what the fields of the ticket say of themselves, and soon what they ask for. */
function describeTicket() {
  const before = form;
  const fields = dash.callback_context.inputs_list;
  form = Object.fromEntries(fields.map(({ id, value }) => [id.slice(PREFIX.length), value]));
  if (before !== null && before.symbol !== form.symbol) {
    emptyForSymbol();
  }
  isChosen(before, form) && chooseLeverage(form);
  arrange();
  followLeverage(form);
  // until the preview of what is there now says otherwise
  allow(true);
  clearTimeout(timer);
  timer = setTimeout(preview, PAUSE_MS);
  return dash.no_update;
}

/* Whether the limit of the order is so far through the market that it may be a slip. */
async function isDoubtful(body) {
  if (limitOf(form) === undefined) {
    return false;
  }
  const [answer] = await previewed(body);
  return (answer?.beyond_percent ?? 0) > SLIP_PERCENT;
}

async function placeOrder() {
  const [body, missing] = orderOf(form);
  if (body === null) {
    note(missing, "error");
    return dash.no_update;
  }
  const button = place("submit");
  button.disabled = true;
  if (await isDoubtful(body)) {
    button.disabled = false;
    // the question whether it is meant, which places it
    dash.set_props("slip-order", { data: { body, at: Date.now() } });
    return dash.no_update;
  }
  const [done, message] = await carryOut("POST", pathOf(form), body);
  button.disabled = false;
  note(done ? "" : message, "error");
  if (!done) {
    return dash.no_update;
  }
  // a name is that of one open order
  put("client-id", "");
  // what is pressed before the field is empty asks for nothing more
  form = { ...form, size: "" };
  return "";
}

/* Places the order, one at a time: the size that stays in its field. */
async function submitTicket() {
  // what can't be paid, as the note says
  if (form === null || (place("submit").disabled && placing === null)) {
    return dash.no_update;
  }
  placing ??= placeOrder().finally(() => (placing = null));
  return placing;
}

/* A share of what is available, by the button that was pressed: the unit and the size. */
const fillShare = () => ["percent", dash.callback_context.triggered_id.split("-").at(-1)];

// while something is in the ticket, its preview follows the price
followAccount(() => {
  form !== null && followLeverage(form);
  const isFilled = form !== null && String(form.size ?? "").trim() !== "";
  const isSeen = !place("panel").hidden && document.visibilityState === "visible";
  if (isFilled && isSeen && Date.now() - previewedAt > REFRESH_MS) {
    preview();
  }
});

register({ describeTicket, submitTicket, fillShare });
