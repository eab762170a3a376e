/* The form that makes an alert or edits one. */
import { balanceAmounts } from "../amounts.js";
import { balanceState } from "../balance.js";
import { balanceLive } from "../live.js";
import { balanceParts } from "../parts.js";
import { balanceRequests } from "../requests.js";
import { balanceSettings } from "../settings/settings.js";

const DIRECTIONS = [
  ["above", "rises to"],
  ["below", "falls to"],
];
const RULE =
  "It fires when the figure comes to this from the other side. Where it is there already, it " +
  "waits until it has been back.";

const place = (name) => document.getElementById(`alerts-${name}`);

let figures = []; // what may be watched, as GET /alerts has it
let edited = null; // the alert that is edited; null: a new one
let isChosen = false; // whether the person has said in which direction
let saving = false;

const symbols = () => document.getElementById("alerts-btn").dataset.symbols.split(" ");

const figure = () => figures.find(({ name }) => name === place("what").value);

/* What the alert would watch, as it is now: a number, which may be null, and a sentence. */
function current() {
  const snapshot = balanceState.snapshot;
  const { has_symbol: hasSymbol, now } = figure();
  const symbol = place("symbol").value;
  const price = snapshot?.market.prices[symbol];
  const position = snapshot?.positions.find((each) => each.symbol === symbol);
  const row = (hasSymbol ? [price, position] : [snapshot]).find((each) => each && now in each);
  const value = row?.[now] ?? null;
  if (value !== null) {
    return [value, `Now ${row.display[now]}.`];
  }
  return [null, price && !row ? "No open position now." : "Not known now."];
}

/* Has the form say what is chosen, and what that is now. */
function describe() {
  if (place("form") === null) {
    return;
  }
  const { has_symbol: hasSymbol, unit } = figure();
  const [value, words] = current();
  place("symbol").closest(".field").hidden = !hasSymbol;
  balanceLive.write(place("unit"), unit);
  balanceLive.write(place("threshold-hint"), words);
  const [typed] = balanceAmounts.read(place("threshold").value);
  if (!isChosen && value !== null && typed !== null) {
    place("direction").value = Number(typed) < value ? "below" : "above";
  }
}

function flag(name, words) {
  const { make } = balanceParts;
  const id = `alerts-${name}`;
  return make(
    "div",
    { class: "form-check" },
    make("input", { type: "checkbox", class: "form-check-input", id }),
    make("label", { class: "form-check-label", for: id }, words),
  );
}

function input(name, attributes) {
  const usual = { id: `alerts-${name}`, class: "form-control", autocomplete: "off" };
  return balanceParts.make("input", { ...usual, ...attributes });
}

/* What keeps a firing from being heard or noticed beside the page. */
function silence() {
  const isOn = (name) => balanceSettings?.get(name) === true;
  if (isOn("notifications") && window.Notification?.permission !== "granted") {
    return "Notifications are on, but this browser has not allowed them here: see the settings.";
  }
  const isSilent = !isOn("sound") && !isOn("notifications");
  return isSilent ? "Sounds and notifications are off in the settings." : "";
}

// without an exponent, which is no amount to whoever types one
const plain = (number) =>
  number.toLocaleString("en-US", { useGrouping: false, maximumFractionDigits: 20 });

function fields() {
  const { make, field, numberInput, select, symbolLabel } = balanceParts;
  const whats = figures.map(({ name, label }) => [name, label]);
  const offered = symbols().map((each) => [each, symbolLabel(each)]);
  const unit = make("span", { id: "alerts-unit", class: "input-group-text" });
  const words = { className: "field words" };
  const whole = { className: "field words whole" };
  return [
    field("Watch", select("alerts-what", whats), words),
    field("Symbol", select("alerts-symbol", offered), words),
    field("Fires when it", select("alerts-direction", DIRECTIONS), words),
    field("Threshold", numberInput("alerts-threshold"), { hint: " ", unit }),
    make("p", { class: "dialog-words whole" }, RULE),
    make(
      "div",
      { class: "alerts-flags whole" },
      flag("every", "Every time, not only once"),
      flag("toast", "Show a toast"),
      flag("notify", "Sound and notify"),
      make("p", { class: "hint" }, silence()),
    ),
    field("Note (optional)", input("note", { maxlength: 200 }), whole),
    field("Post to (optional)", input("url", { type: "url", maxlength: 500 }), {
      ...whole,
      hint: "The web address of a program that takes each firing as JSON, here or elsewhere.",
    }),
  ];
}

function error(words) {
  balanceLive.explain(place("error"), words);
}

/* The settings as JSON, or what is wrong: [JSON, words]. */
function json() {
  const [threshold, wrong] = balanceAmounts.read(place("threshold").value);
  if (threshold === null) {
    return [null, wrong];
  }
  const { name: what, has_symbol: hasSymbol } = figure();
  const members = {
    what,
    symbol: hasSymbol ? place("symbol").value : null,
    direction: place("direction").value,
    once: !place("every").checked,
    toast: place("toast").checked,
    notify: place("notify").checked,
    note: place("note").value,
    url: place("url").value.trim() || null,
  };
  // a number as it was typed: a float would lose digits
  return [JSON.stringify(members).replace(/}$/, `,"threshold":${threshold}}`), ""];
}

async function save(done) {
  const [body, wrong] = json();
  if (wrong || saving) {
    error(wrong);
    place("threshold").focus();
    return;
  }
  saving = true;
  const path = edited === null ? "/alerts" : `/alerts/${edited.id}`;
  const { send } = balanceRequests;
  const [isDone, words] = await send(edited === null ? "POST" : "PUT", path, body);
  saving = false;
  if (isDone) {
    done(words);
  } else if (place("error") !== null) {
    error(words);
  }
}

function fill({ what = figures[0].name, symbol, direction, threshold, ...rest }) {
  place("what").value = what;
  place("symbol").value = symbol ?? symbols()[0];
  place("direction").value = direction ?? "above";
  place("threshold").value = Number.isFinite(threshold) ? plain(threshold) : "";
  place("every").checked = rest.once === false;
  place("toast").checked = rest.toast ?? true;
  place("notify").checked = rest.notify ?? true;
  place("note").value = rest.note ?? "";
  place("url").value = rest.url ?? "";
}

/* Shows it in `within` for `alert`, or for a new one that begins with the members of `first`, with
 * the figures that are `offered`; `done` is called with what was done when it was saved, and with
 * nothing when it was left. */
function show(within, offered, alert, first, done) {
  const { make, button } = balanceParts;
  [figures, edited, isChosen] = [offered, alert, alert !== null];
  const words = alert === null ? "Create" : "Save";
  const form = make(
    "form",
    { id: "alerts-form", novalidate: true },
    make("h3", { class: "alerts-heading" }, alert === null ? "New alert" : "Edit the alert"),
    make("div", { class: "alerts-fields" }, ...fields()),
    make("div", { id: "alerts-error", class: "dialog-error", role: "alert" }),
    make(
      "div",
      { class: "alerts-foot" },
      button("Cancel", "", { onclick: () => done("") }),
      button(words, "", { type: "submit", id: "alerts-save" }, "primary"),
    ),
  );
  form.addEventListener("submit", (event) => (event.preventDefault(), save(done)));
  within.replaceChildren(form);
  fill(alert ?? first);
  // a list that was opened may tell only of the one or of the other
  for (const event of ["input", "change"]) {
    place("direction").addEventListener(event, () => (isChosen = true));
    form.addEventListener(event, describe);
  }
  // a threshold of one figure is none of another
  for (const name of ["what", "symbol"]) {
    place(name).addEventListener("change", () => (place("threshold").value = ""));
  }
  describe();
  place("threshold").focus();
  place("threshold").select();
}

balanceState.follow(describe);
export const balanceAlertForm = { show };
