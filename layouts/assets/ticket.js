/* The order ticket: what it asks the server for, and the preview of what that would do. */
import { balanceAmounts } from "./amounts.js";
import { balanceState } from "./balance.js";
import { balanceQuestions } from "./bots/question.js";
import { register } from "./clientside.js";
import { balanceLive } from "./live.js";
import { balanceRequests } from "./requests.js";
import { balanceToasts } from "./toasts.js";

const PREVIEW_PAUSE_MS = 150;
const REFRESH_MS = 1000;
const LEVERAGE_PAUSE_MS = 300;
const FIELDS = ["quantity", "notional", "margin", "fee", "slippage", "cost", "liquidation_price", "available_after"];
// what the size is, by its unit
const KINDS = { notional: "money", quantity: "quantity", percent: "plain" };
// a limit that is so far through the market, in percent, may be a slip
const SLIP_PERCENT = 5;
const SIDES = { buy: "Buy / Long", sell: "Sell / Short" };

const { carryOut, send, previewed } = balanceRequests;
const { read, isEmpty } = balanceAmounts;
const noUpdate = () => window.dash_clientside.no_update;
const place = (id) => document.getElementById(id);
// the fields of the numbers that an order of a type has beside its size, in their order
const NUMBERS = ["futures-price", "futures-second-price", "futures-third-price"];
// the type that is two orders: a limit and a stop, of which one cancels the other
const OCO = "oco";
const pathOf = (type) => (type === OCO ? "/orders/oco" : "/orders");
// the numbers that orders of this type have beside their size, and whether they have a time in force
const kindOf = (type) => JSON.parse(place("futures-kinds").dataset.kinds)[type];

let form = null; // what is in the fields
let placing = null; // the order that is on its way
let choice = null; // the leverage that was chosen here and is not kept yet, with its symbol
let followed = null; // the leverage that the slider was put at, as it is that of the symbol
let timer = null;
let latest = 0; // the number of the newest preview
let seen = 0; // when the last preview came

// members as a JSON object: their values are JSON already, as a float would lose digits
const objectOf = (members) =>
  `{${Object.entries(members).map(([name, value]) => `"${name}": ${value}`).join(", ")}}`;

// both orders of an OCO as JSON, from the members of its form
function bothOf({ price, trigger_price, stop_limit, ...shared }) {
  const limit = { ...shared, type: '"limit"', price };
  const stop =
    stop_limit === undefined
      ? { ...shared, type: '"stop_market"', trigger_price }
      : { ...shared, type: '"stop_limit"', trigger_price, price: stop_limit };
  return `{"orders": [${objectOf(limit)}, ${objectOf(stop)}]}`;
}

// the order as JSON, or [null, what is missing]
function orderOf({ symbol, side, type, prices, force, size, unit, leverage, options, ...more }) {
  const members = {
    symbol: JSON.stringify(symbol),
    side: `"${side}"`,
    type: `"${type}"`,
    leverage: Number(leverage),
  };
  const numbers = [[unit, size, "a size", KINDS[unit]]];
  const kind = kindOf(type);
  kind.numbers.forEach(({ label, member, format, optional }, index) => {
    numbers.push([member, prices[index], optional ? null : `a ${label.toLowerCase()}`, format]);
  });
  if (options.includes("bracket")) {
    const { takeProfit, stopLoss } = more;
    numbers.push(["take_profit", takeProfit, null, "money"], ["stop_loss", stopLoss, null, "money"]);
  }
  for (const [name, typed, what, kind] of numbers) {
    if (isEmpty(typed)) {
      if (what !== null) {
        return [null, `Enter ${what}.`];
      }
      continue;
    }
    const [number, wrong] = read(typed, kind);
    if (number === null) {
      return [null, wrong];
    }
    members[name] = number;
  }
  if (kind.timed) {
    members.time_in_force = `"${force}"`;
  }
  if (options.includes("reduce_only")) {
    members.reduce_only = true;
  }
  if (options.includes("named") && type !== OCO && !isEmpty(more.clientId)) {
    members.client_id = JSON.stringify(more.clientId.trim());
  }
  return [type === OCO ? bothOf(members) : objectOf(members), ""];
}

function note(words, kind = "") {
  const element = place("futures-ticket-note");
  balanceLive.explain(element, words);
  element.dataset.kind = kind;
}

function show(preview) {
  // of an OCO, the figures of the limit, and what both need
  const display = { ...preview?.orders?.[0].display, ...preview?.display };
  for (const field of FIELDS) {
    place(`futures-preview-${field}`).textContent = display[field] ?? "–";
  }
}

// what each of the two orders of an OCO would bring
function outcomes([limit, stop]) {
  const words = ({ display }) => [
    `at ${display.price}`,
    ...(display.realized_pnl === "–" ? [] : [`P&L ${display.realized_pnl}`]),
    `fee ${display.fee}`,
  ];
  return `Limit: ${words(limit).join(", ")}. Stop: ${words(stop).join(", ")}.`;
}

async function preview() {
  const number = ++latest;
  const [body, missing] = orderOf(form);
  seen = Date.now();
  if (body === null) {
    show(null);
    allow(true);
    // what is not typed yet is no fault, unless the button was pressed and has said so
    const isOpen = missing.startsWith("Enter") && place("futures-ticket-note").textContent !== missing;
    note(isOpen ? "" : missing, "error");
    return;
  }
  const [answer, wrong] = await previewed(body, pathOf(form.type));
  if (number !== latest) {
    return;
  }
  show(answer);
  allow(answer?.affordable ?? true);
  if (answer === null) {
    note(wrong, "error");
  } else if (!answer.affordable) {
    const { cost, available } = answer.display;
    note(`This needs ${cost}, but only ${available} are available.`, "error");
  } else if (answer.orders !== undefined && answer.warning === "") {
    note(outcomes(answer.orders));
  } else {
    note(answer.warning, "warning");
  }
}

// what can't be paid is not to be had, and the button says so
function allow(isAffordable) {
  const button = place("futures-submit");
  // while an order is on its way the button rests
  button.disabled = !isAffordable || placing !== null;
  const words = isAffordable ? `${SIDES[form.side]} ${baseOf(form.symbol)}` : "Not enough available";
  balanceLive.write(button, words);
}

/* Empties what was meant for another symbol: its prices and exits, and a size in its base unit. */
function emptyForSymbol() {
  const sizes = form.unit === "quantity" ? ["size"] : [];
  for (const name of ["price", "second-price", "third-price", "take-profit", "stop-loss", ...sizes]) {
    window.dash_clientside.set_props(`futures-${name}`, { value: "" });
  }
  const size = sizes.length ? "" : form.size;
  form = { ...form, prices: [], takeProfit: "", stopLoss: "", size };
}

function previewSoon() {
  clearTimeout(timer);
  timer = setTimeout(preview, PREVIEW_PAUSE_MS);
}

function limits(symbol) {
  return balanceState.snapshot?.market.prices[symbol];
}

const baseOf = (symbol) => limits(symbol)?.base ?? symbol?.split("/")[0];

const leverageOf = (symbol) =>
  balanceState.snapshot?.leverages.find((each) => each.symbol === symbol);

/* The leverage is that of the symbol, here as in every other tab, until another one is chosen here. */
function followLeverage() {
  const { leverage = Number(form.leverage), source } = leverageOf(form.symbol) ?? {};
  const isOpen = source === "open";
  if (choice?.symbol !== form.symbol && Number(form.leverage) !== leverage) {
    followed = leverage;
    window.dash_clientside.set_props("futures-leverage", { value: leverage });
  }
  place("futures-leverage").disabled = isOpen;
  const words = isOpen ? `${leverage}x, as what is open` : `${form.leverage}x`;
  balanceLive.write(place("futures-leverage-words"), words);
}

function chooseLeverage() {
  const mine = { symbol: form.symbol, leverage: Number(form.leverage) };
  choice = mine;
  followed = null;
  setTimeout(async () => {
    // a slider passes through others on its way
    if (choice === mine) {
      await keepLeverage(mine);
      choice = choice === mine ? null : choice;
      followLeverage();
    }
  }, LEVERAGE_PAUSE_MS);
}

async function keepLeverage({ symbol, leverage }) {
  const [done, words] = await send("PUT", `/leverage/${symbol}`, `{"leverage": ${leverage}}`);
  done || balanceToasts.toast(words, "error");
}

/* What the fields say of themselves, and the preview of what they ask for. */
function describe(symbol, side, type, price, second, third, ...others) {
  const [force, size, unit, leverage, options, takeProfit, stopLoss, clientId] = others;
  const prices = [price, second, third];
  const isOther = form !== null && form.symbol !== symbol;
  const isChosen =
    form !== null && !isOther && form.leverage !== leverage && Number(leverage) !== followed;
  form = { symbol, side, type, prices, force, size, unit, leverage, options };
  Object.assign(form, { takeProfit, stopLoss, clientId });
  isOther && emptyForSymbol();
  isChosen && chooseLeverage();
  const { numbers, timed } = kindOf(type);
  NUMBERS.forEach((id, index) => {
    const { label = "", optional = false } = numbers[index] ?? {};
    place(`${id}-field`).hidden = label === "";
    place(`${id}-label`).textContent = optional ? `${label} (optional)` : label;
  });
  place("futures-force-field").hidden = !timed;
  place("futures-bracket").hidden = !options.includes("bracket");
  place("futures-client-id-field").hidden = type === OCO || !options.includes("named");
  // both orders of an OCO can't have the same name
  document.querySelector('#futures-options [value="named"]').parentElement.hidden = type === OCO;
  followLeverage();
  place("futures-leverage").max = limits(symbol)?.max_leverage ?? place("futures-leverage").max;
  const [first] = place("futures-unit").options;
  first.textContent = baseOf(symbol);
  place("futures-submit").dataset.side = side;
  // until the preview of what is there now says otherwise
  allow(true);
  previewSoon();
  return noUpdate();
}

/* Whether an order is meant as it stands: a limit that is far through the market needs a confirmation. */
async function isNoSlip(body) {
  const { side, symbol, type, prices, force } = form;
  const limit = prices[kindOf(type).numbers.findIndex(({ member }) => member === "price")];
  // an OCO is refused where one would fill at once
  if (limit === undefined || type === OCO) {
    return true;
  }
  const [answer] = await previewed(body);
  if (answer === null || (answer.beyond_percent ?? 0) <= SLIP_PERCENT) {
    return true;
  }
  const word = side === "buy" ? "Buy" : "Sell";
  const isNow = answer.fills_at_once;
  const does = force === "GTX" ? "ends without a fill, being post-only," : "fills";
  const bound = `for as ${side === "buy" ? "much" : "little"} as ${limit}`;
  const price = isNow ? `at about ${answer.display.price}` : bound;
  const title = `${word} ${symbol} ${price}?`;
  const words =
    `Your limit, ${limit}, is ${answer.beyond_percent.toFixed(1)} % from ` +
    (isNow
      ? "the market, on the side where it fills at once."
      : `your trigger price, on the side where it ${does} as soon as it is triggered.`);
  const about = [`${answer.display.quantity}, worth ${answer.display.notional}`];
  const answers = [["place", `${word} ${price}`, "", true]];
  return (await balanceQuestions.ask(title, words, about, answers)) === "place";
}

async function placeOrder() {
  const [body, missing] = orderOf(form);
  if (body === null) {
    note(missing, "error");
    return noUpdate();
  }
  const button = place("futures-submit");
  button.disabled = true;
  const isMeant = await isNoSlip(body);
  const [done, words] = isMeant ? await carryOut("POST", pathOf(form.type), body) : [false, ""];
  button.disabled = false;
  if (!isMeant) {
    return noUpdate();
  }
  if (!done) {
    note(words, "error");
    return noUpdate();
  }
  note("");
  // a name is that of one open order
  window.dash_clientside.set_props("futures-client-id", { value: "" });
  // what is pressed before the field is empty asks for nothing more
  form = { ...form, size: "" };
  return "";
}

/* Places the order, one at a time: the size that stays in its field. */
async function submit() {
  // what can't be paid, as the note says
  if (form === null || (place("futures-submit").disabled && placing === null)) {
    return noUpdate();
  }
  placing ??= placeOrder().finally(() => (placing = null));
  return placing;
}

// a share of what is available
document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-share]");
  if (button !== null) {
    window.dash_clientside.set_props("futures-unit", { value: "percent" });
    window.dash_clientside.set_props("futures-size", { value: button.dataset.share });
  }
});

// while something is in the ticket, its preview follows the price
balanceState.follow(() => {
  form !== null && followLeverage();
  const isFilled = form !== null && String(form.size ?? "").trim() !== "";
  const isSeen = !place("futures-panel").hidden && document.visibilityState === "visible";
  if (isFilled && isSeen && Date.now() - seen > REFRESH_MS) {
    preview();
  }
});

export const balanceTicket = { kindOf };
register({ describeTicket: describe, submitTicket: submit });
