/* The order ticket: what its fields say of themselves, the preview of what they ask for, and the leverage of
 * the symbol, which its slider follows and sets.
 */
import { followAccount, snapshot } from "../balance.js";
import { register } from "../clientside.js";
import { explain, provide, write } from "../live.js";
import { change, fetchJson } from "../requests.js";

const PREFIX = "futures-";
const PAUSE_MS = 150;
const REFRESH_MS = 1000;
const TIMEOUT_MS = 4000;
const LEVERAGE_MS = 300;
const NUMBERS = ["price", "second-price", "third-price"];
const PRICES = [...NUMBERS, "take-profit", "stop-loss"];
const SIDES = { buy: "Buy / Long", sell: "Sell / Short" };

let form = null; // what is in the fields, by their ids without the prefix
let timer = null;
let latest = 0; // the number of the newest preview
let previewedAt = 0; // when it was fetched
let choosing = null; // the timer of a leverage that was chosen here and is not set yet

const dash = window.dash_clientside;
const place = (name) => document.getElementById(PREFIX + name);
const put = (name, value) => dash.set_props(PREFIX + name, { value });
const rules = () => snapshot?.market.prices[form.symbol];
const base = () => rules()?.base ?? form.symbol?.split("/")[0];

const isSeen = () => !place("panel").hidden && document.visibilityState === "visible";

async function preview() {
  const number = ++latest;
  previewedAt = Date.now();
  const options = { method: "POST", body: JSON.stringify(form), timeout: TIMEOUT_MS };
  const [answer] = await fetchJson("/ticket/preview", options);
  // without an answer the strip over the tabs says so
  if (number === latest && answer !== null) {
    const { affordable, display, kind, note } = answer;
    provide("previews", [{ id: "ticket", display }]);
    allow(affordable);
    explain(place("ticket-note"), note);
    place("ticket-note").dataset.kind = kind;
  }
}

// what can't be paid is not to be had, and the button says so
function allow(isAffordable) {
  const button = place("submit");
  button.disabled = !isAffordable;
  write(button, isAffordable ? `${SIDES[form.side]} ${base()}` : "Not enough available");
}

/* Empties what was meant for another symbol: its prices and exits, and a size in its base unit. */
function emptyForSymbol() {
  for (const name of form.unit === "quantity" ? [...PRICES, "size"] : PRICES) {
    put(name, "");
    form[name] = "";
  }
}

// which fields there are, and what they are called
function arrange({ labels, timed }) {
  NUMBERS.forEach((name, index) => {
    place(`${name}-field`).hidden = labels[index] === undefined;
    write(place(`${name}-label`), labels[index] ?? "");
  });
  place("force-field").hidden = !timed;
  place("leverage").max = rules()?.max_leverage ?? place("leverage").max;
  write(place("unit").options[0], base());
}

/* Shows what the fields of the ticket say of themselves, and soon what they ask for; no error is left. */
function describeTicket(...values) {
  const before = form;
  const fields = dash.callback_context.inputs_list.filter(({ id }) => id.startsWith(PREFIX));
  form = Object.fromEntries(fields.map(({ id, value }) => [id.slice(PREFIX.length), value ?? ""]));
  if (before !== null && before.symbol !== form.symbol) {
    emptyForSymbol();
  }
  arrange(values.at(-1)[form.type]);
  followLeverage();
  // until the preview of what is there now says otherwise
  allow(true);
  clearTimeout(timer);
  timer = setTimeout(() => isSeen() && preview(), PAUSE_MS);
  return "";
}

/* Shows the leverage of the symbol, here as in every other tab, until another one is chosen here. */
function followLeverage() {
  const found = snapshot?.leverages?.find(({ symbol }) => symbol === form.symbol);
  const shown = Number(form.leverage);
  const { leverage = shown, source } = found ?? {};
  const isOpen = source === "open";
  if (choosing === null && shown !== leverage) {
    put("leverage", leverage);
  }
  place("leverage").disabled = isOpen;
  write(place("leverage-words"), isOpen ? `${leverage}x, as what is open` : `${shown}x`);
}

/* Sets the leverage that was chosen, once the slider rests: it passes through others on its way. */
function chooseLeverage({ target }) {
  if (target !== place("leverage")) {
    return;
  }
  const { symbol } = form;
  clearTimeout(choosing);
  const mine = setTimeout(async () => {
    const isSet = await change(`/leverage/${symbol}`, { leverage: Number(target.value) });
    choosing = choosing === mine ? null : choosing;
    // what was set comes with the account
    isSet || followLeverage();
  }, LEVERAGE_MS);
  choosing = mine;
}

/* A share of what is available, by the button that was pressed: the unit and the size. */
const fillShare = () => ["percent", dash.callback_context.triggered_id.split("-").at(-1)];

// while something is in the ticket, its preview follows the price
followAccount(() => {
  form !== null && followLeverage();
  if (form?.size && isSeen() && Date.now() - previewedAt > REFRESH_MS) {
    preview();
  }
});

// before Dash hears of it, which follows the leverage
document.addEventListener("input", chooseLeverage, true);
register({ describeTicket, fillShare });
