/* The dialog that makes a bot or edits one. */
import { balanceState } from "../balance.js";
import { balanceLive } from "../live.js";
import { balanceParts } from "../parts.js";
import { balanceRequests } from "../requests.js";
import { balanceToasts } from "../toasts.js";
import { balanceBacktest } from "./backtest.js";
import { balanceBots } from "./feed.js";
import { balanceBotFields } from "./fields.js";

const { make, button, field, folded, lastLine, numberInput, dialog } = balanceParts;
const fields = balanceBotFields;
const { place } = fields;

let made = null;
let edited = null; // the bot that is edited; null: a new one
let kinds = []; // the strategies, as GET /strategies tells them
let given = {}; // the parameters of the bot that is edited
let saving = false;
let proposed = ""; // the name that was proposed; another one is the person's own

const error = (words) => {
  balanceLive.explain(document.getElementById("bot-dialog-error"), words);
};
const kind = () => kinds.find(({ id }) => id === place("strategy").value);

function range({ least, most, words }) {
  const limits = `${least} to ${most}`;
  return words ? `${words}, ${limits}` : limits;
}

function parameter(each) {
  const id = `bot-param-${each.name.replaceAll("_", "-")}`;
  const input = numberInput(id, { "data-name": each.name });
  input.value = given[each.name] ?? each.default;
  return field(each.label, input, { hint: range(each) });
}

/* What the chosen strategy does, and its parameters. */
function describe() {
  const chosen = kind();
  const words = document.getElementById("bot-strategy-words");
  const broken = kinds.filter((each) => each.error !== null);
  words.replaceChildren(
    make("p", { class: "dialog-words" }, chosen?.words ?? ""),
    ...broken.map((each) =>
      folded(each.error, `${each.name} can't be used: ${lastLine(each.error)}`),
    ),
  );
  const parameters = (chosen?.parameters ?? []).map(parameter);
  document.getElementById("bot-params").replaceChildren(...parameters);
  propose();
}

// a name that no other bot has, until the person types one
function propose() {
  const input = place("name");
  if (edited !== null || (input.value !== proposed && input.value !== "")) {
    return;
  }
  const base = place("symbol").value.split("/")[0];
  const first = `${kind()?.name ?? "Bot"} ${base}`.slice(0, 36);
  const taken = new Set(balanceBots.state?.bots.map(({ name }) => name));
  let name = first;
  for (let number = 2; taken.has(name); number += 1) {
    name = `${first} ${number}`;
  }
  input.value = proposed = name;
}

function limitLeverage() {
  const prices = balanceState.snapshot?.market.prices ?? {};
  const most = prices[place("symbol").value]?.max_leverage;
  document.getElementById("bot-leverage-hint").textContent = most ? `1 to ${most}` : "";
}

const nameOf = (owner) => (owner === "" ? "you" : (balanceBots.find(owner)?.name ?? owner));

/* Says who else trades the chosen symbol: what is open of one has one owner. */
function describeSymbol() {
  const symbol = place("symbol").value;
  const isOther = ({ owner }) => owner !== (edited?.id ?? null);
  const { positions = [], open_orders: orders = [] } = balanceState.snapshot ?? {};
  const held = [...positions, ...orders.filter((each) => !each.reduce_only)].find(
    (each) => each.symbol === symbol && isOther(each),
  );
  const rival = balanceBots.state?.bots.find(
    (each) => each.symbol === symbol && each.status !== "stopped" && each.id !== edited?.id,
  );
  const words = held
    ? `${symbol} is traded by ${nameOf(held.owner)} now: the bot opens nothing until that is closed.`
    : rival
      ? `${rival.name} trades ${symbol}, too: while one of them has a position, the other opens nothing.`
      : "";
  balanceLive.write(document.getElementById("bot-symbol-words"), words);
}

async function readKinds() {
  const [answer, problem, status] = await balanceRequests.fetchJson("/strategies", { timeout: 4000 });
  kinds = answer?.strategies ?? kinds;
  return status === null
    ? "The server does not answer, so its strategies are not known. Try again when it is back."
    : problem;
}

function offerKinds(chosen) {
  const options = kinds.map(({ id, name, own, error: broken }) => {
    const mark = broken ? " (can't be loaded)" : own ? " (yours)" : "";
    return make("option", { value: id, disabled: broken !== null }, `${name}${mark}`);
  });
  place("strategy").replaceChildren(...options);
  place("strategy").value = chosen ?? kinds.find((each) => each.error === null)?.id ?? "";
  describe();
}

/* Sends the settings: whether that was done. */
async function save(isStarted) {
  const [json, wrong, control] = fields.json();
  if (wrong) {
    error(wrong);
    control.closest("details")?.setAttribute("open", "");
    control.focus();
    return;
  }
  const { send } = balanceRequests;
  const path = edited === null ? "/bots" : `/bots/${encodeURIComponent(edited.id)}`;
  const [done, words, answer] = await send(edited === null ? "POST" : "PUT", path, json);
  if (!done) {
    error(words);
    return;
  }
  made.close();
  balanceToasts.toast(words, "info");
  if (isStarted) {
    await balanceRequests.carryOut("POST", `/bots/${encodeURIComponent(answer.bot.id)}/start`);
  }
  balanceState.streaming || balanceBots.refresh();
}

async function saveOnce(isStarted) {
  if (!saving) {
    saving = true;
    await save(isStarted);
    saving = false;
  }
}

function test() {
  const [json, wrong, control] = fields.json();
  error(wrong);
  if (wrong) {
    control.focus();
    return;
  }
  const settings = JSON.parse(json);
  const words = [kind()?.name, Object.values(settings.params).join(", ")].join(" ").trim();
  balanceBacktest.open(settings, words);
}

function build() {
  const foot = [
    button("Cancel", "", { "data-close": true }),
    button("Backtest", "graph-up", { id: "bot-backtest", onclick: test }),
    button("Save", "", { type: "submit", id: "bot-save" }),
    button("Create and start", "play-fill", { id: "bot-start", onclick: () => saveOnce(true) }, "primary"),
  ];
  const body = fields.build();
  const onsubmit = () => saveOnce(false);
  made = dialog("bot-dialog", { title: "", body, foot, onsubmit });
  place("strategy").addEventListener("change", () => ((given = {}), describe()));
  place("symbol").addEventListener("change", () => (propose(), limitLeverage(), describeSymbol()));
}

/* Opens it for `bot`, or for a new one where that is null. */
async function open(bot) {
  made ?? build();
  [edited, given, proposed] = [bot, bot?.settings.params ?? {}, ""];
  const isNew = bot === null;
  document.getElementById("bot-dialog-title").textContent = isNew ? "New bot" : `Edit ${bot.name}`;
  const [keep, start] = ["bot-save", "bot-start"].map((id) => document.getElementById(id));
  keep.textContent = isNew ? "Create" : "Save";
  keep.classList.toggle("btn-primary", !isNew);
  keep.classList.toggle("btn-outline-secondary", isNew);
  start.hidden = !isNew;
  fields.show(isNew ? {} : bot.settings);
  limitLeverage();
  describeSymbol();
  error("");
  made.showModal();
  made.querySelector(".sheet-body").scrollTop = 0;
  error(await readKinds());
  offerKinds(bot?.settings.strategy);
  isNew && place("name").select();
}

balanceState.follow(() => made?.open && describeSymbol());
export const balanceBotForm = { open };
