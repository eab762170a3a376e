/* The fields of a bot's settings: made once, filled from settings, and read into JSON. */
import { balanceAmounts } from "../amounts.js";
import { balanceParts } from "../parts.js";

const { make, field, numberInput, select, symbolLabel } = balanceParts;

const TIMEFRAMES = ["1m", "5m", "15m", "1h", "4h", "1d"].map((each) => [each, each]);
const DIRECTIONS = [
  ["both", "Long and short"],
  ["long", "Long only"],
  ["short", "Short only"],
];
const UNITS = [
  ["percent", "% of available"],
  ["usdt", "USDT"],
];
const OPTIONAL = { placeholder: "none" };
// name, label, what it may be, its unit and what there is to say of it
const SIZES = [
  ["leverage", "Leverage", {}, "x", ""],
  ["min_confidence", "Least confidence", {}, null, "0 to 1, below it does nothing"],
];
const EXITS = [
  ["stop_loss", "Stop-loss", OPTIONAL, "%", "of the price, against it"],
  ["take_profit", "Take-profit", OPTIONAL, "%", "of the price, in its favour"],
  ["trailing_stop", "Trailing stop", OPTIONAL, "%", "behind the best price"],
];
const LIMITS = [
  ["cooldown", "Pause after a trade", {}, "min", ""],
  ["max_positions", "Most open positions", OPTIONAL, null, "of the whole account"],
  ["max_daily_loss", "Most loss in a day", OPTIONAL, "USDT", "then it closes and stops"],
  ["max_drawdown", "Most loss from its best", OPTIONAL, "USDT", "then it closes and stops"],
];
/* What a new bot has. */
const USUAL = {
  name: "",
  timeframe: "5m",
  direction: "both",
  stake: 10,
  stake_unit: "percent",
  leverage: 3,
  min_confidence: 0,
  stop_loss: 2,
  take_profit: 4,
  trailing_stop: null,
  cooldown: 0,
  max_positions: null,
  max_daily_loss: null,
  max_drawdown: null,
};
const NEEDED = ["stake", "leverage", "min_confidence", "cooldown"];
// what is an amount of money; a stake may be a percentage
const MONEY = ["max_daily_loss", "max_drawdown"];
const NUMBERS = ["stake", ...[...SIZES, ...EXITS, ...LIMITS].map(([name]) => name)];

const idOf = (name) => `bot-${name.replaceAll("_", "-")}`;
const place = (name) => document.getElementById(idOf(name));
const numbers = (group) =>
  group.map(([name, label, attributes, unit, hint]) =>
    field(label, numberInput(idOf(name), attributes), { hint, unit }),
  );

function stake() {
  const input = numberInput(idOf("stake"));
  const unit = select(idOf("stake_unit"), UNITS, { "aria-label": "Unit of the stake" });
  return field("Stake", input, { hint: "the margin of a position", className: "field two", unit });
}

function group(title, ...fields) {
  const legend = make("legend", {}, title);
  return make("fieldset", { class: "bot-group" }, legend, ...fields);
}

/* All fields, in their groups. */
function build() {
  const symbols = document.getElementById("auto-bots").dataset.symbols.split(" ").filter(Boolean);
  const name = make("input", {
    id: idOf("name"),
    class: "form-control",
    maxlength: 40,
    autocomplete: "off",
    autofocus: true,
  });
  const texts = { className: "field words" };
  const wide = { className: "field words two" };
  return [
    group(
      "What",
      field("Name", name, wide),
      field("Symbol", select(idOf("symbol"), symbols.map((each) => [each, symbolLabel(each)])), texts),
      make("p", { id: "bot-symbol-words", class: "whole bot-symbol-words", role: "status" }),
      field("Timeframe", select(idOf("timeframe"), TIMEFRAMES), texts),
      field("Strategy", select(idOf("strategy"), []), wide),
      field("Direction", select(idOf("direction"), DIRECTIONS), texts),
      make("div", { id: "bot-strategy-words", class: "whole strategy-words" }),
      make("div", { id: "bot-params", class: "whole bot-group" }),
    ),
    group("How much", stake(), ...numbers(SIZES)),
    group("Exits", ...numbers(EXITS)),
    make(
      "details",
      { id: "bot-limits" },
      make("summary", {}, "Limits"),
      make("div", { class: "bot-group" }, ...numbers(LIMITS)),
    ),
  ];
}

/* Has the fields show `settings`, those of the strategy apart. */
function show(settings) {
  for (const [name, value] of Object.entries({ ...USUAL, ...settings })) {
    const control = place(name);
    if (control && name !== "strategy") {
      control.value = value ?? "";
    }
  }
  // limits that are set are seen
  const hidden = LIMITS.every(([name]) => [null, 0, undefined].includes(settings[name]));
  document.getElementById("bot-limits").open = !hidden;
}

function kindOf(name) {
  const isMoney = name === "stake" ? place("stake_unit").value === "usdt" : MONEY.includes(name);
  return isMoney ? "money" : "plain";
}

// the number that was typed, or what is wrong
function read(name, control, isNeeded) {
  const label = control.labels[0].textContent;
  if (balanceAmounts.isEmpty(control.value)) {
    return isNeeded ? [null, `Enter ${label}.`] : ["null", ""];
  }
  const [number, wrong] = balanceAmounts.read(control.value, kindOf(name));
  return number === null ? [null, `${label}: ${wrong}`] : [number, ""];
}

/* The settings as [JSON, "", null], or what is wrong with which field: [null, words, field]. */
function json() {
  const members = ["name", "symbol", "timeframe", "strategy", "direction", "stake_unit"].map(
    (name) => `"${name}": ${JSON.stringify(place(name).value)}`,
  );
  const params = [];
  const all = [...document.querySelectorAll("#bot-params input")].map((each) => [
    each.dataset.name,
    each,
    params,
    true,
  ]);
  all.push(...NUMBERS.map((name) => [name, place(name), members, NEEDED.includes(name)]));
  for (const [name, control, list, isNeeded] of all) {
    const [number, wrong] = read(name, control, isNeeded);
    if (wrong) {
      return [null, wrong, control];
    }
    list.push(`"${name}": ${number}`);
  }
  return [`{${[...members, `"params": {${params.join(", ")}}`].join(", ")}}`, "", null];
}

export const balanceBotFields = { build, show, json, place };
