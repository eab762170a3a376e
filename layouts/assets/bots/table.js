/* The bots' panel: a row for each of them, what they made together, and what can be done with them. */
import { balanceState } from "../balance.js";
import { balanceLive } from "../live.js";
import { balanceParts } from "../parts.js";
import { balanceRequests } from "../requests.js";
import { balanceTables } from "../tables.js";
import { balanceBacktest } from "./backtest.js";
import { balanceBots } from "./feed.js";
import { balanceBotForm } from "./form.js";
import { balanceQuestions } from "./question.js";
import { balanceBotRow } from "./row.js";

const { make, button, arrange, writeFigure } = balanceParts;
const { COLUMNS, newRow, show } = balanceBotRow;
const { ask } = balanceQuestions;
const { carryOut } = balanceRequests;

const EMPTY = [
  "bi-robot",
  "No bots yet",
  "A bot trades this balance by a strategy: at every closed candle it decides whether to be long, " +
    "short or out of the market, with the stake and the limits that you give it. Try it on the past " +
    "first, then start it.",
];

const place = (id) => document.getElementById(id);
const write = (element, words) => balanceLive.write(element, words);
const holds = (bot) => bot.position !== null;
const isOn = (bot) => bot.status !== "stopped";
const held = (bot) => `${bot.display.position} ${bot.symbol} (${bot.name})`;

const rows = new Map(); // by the bots' ids
const busy = new Set(); // bots that something is being done with
let body = null;

/* Sends it, and shows at once what came of it where no stream tells. */
async function send(method, path, members) {
  const [done] = await carryOut(method, path, members === undefined ? "" : JSON.stringify(members));
  if (done && !balanceState.streaming) {
    await balanceBots.refresh();
  }
  return done;
}

async function stop(bot, path) {
  if (!holds(bot)) {
    return send("POST", path);
  }
  const how = await ask(
    `Stop ${bot.name}?`,
    "It holds a position. Kept, the position stays with its stop-loss and take-profit, and is " +
      "yours to close.",
    [held(bot)],
    [
      ["keep", "Stop, keep the position", "stop-fill"],
      ["close", "Stop and close it", "x-circle", true],
    ],
  );
  return how !== null && send("POST", path, how === "close" ? { close: true } : undefined);
}

async function remove(bot, path) {
  const how = await ask(
    `Delete ${bot.name}?`,
    holds(bot)
      ? "It holds a position, which is closed at market first. What it did stays in the history."
      : "Its settings are lost. What it did stays in the history.",
    holds(bot) ? [held(bot)] : [],
    [
      holds(bot)
        ? ["close", "Close its position and delete", "trash", true]
        : ["delete", "Delete", "trash", true],
    ],
  );
  const done = how !== null && (await send("DELETE", how === "close" ? `${path}?close=true` : path));
  if (done && document.activeElement === document.body) {
    place("auto-new-bot").focus();
  }
  return done;
}

const ACTS = {
  edit: (bot) => balanceBotForm.open(bot),
  backtest: (bot) => balanceBacktest.open(bot.settings, bot.display.strategy),
  delete: (bot, path) => remove(bot, path),
  stop: (bot, path) => stop(bot, `${path}/stop`),
};

async function act(id, verb) {
  const bot = balanceBots.find(id);
  if (bot === undefined || busy.has(id)) {
    return;
  }
  busy.add(id);
  const path = `/bots/${encodeURIComponent(id)}`;
  const done = verb in ACTS ? ACTS[verb](bot, path) : send("POST", `${path}/${verb}`);
  await done;
  busy.delete(id);
}

async function stopAll() {
  const { bots } = balanceBots.state;
  const [on, holding] = [bots.filter(isOn), bots.filter(holds)];
  const how = await ask(
    "Stop all bots?",
    `${on.length} of ${bots.length} ${bots.length === 1 ? "bot" : "bots"} run or are paused. ` +
      (holding.length === 0
        ? "None holds a position."
        : "Positions that are kept stay with their stop-loss and take-profit:"),
    holding.map(held),
    [
      ["keep", "Stop all", "stop-circle", holding.length === 0],
      ...(holding.length ? [["close", "Stop all and close what they hold", "x-circle", true]] : []),
    ],
  );
  if (how !== null) {
    send("POST", "/bots/stop", how === "close" ? { close: true } : undefined);
  }
}

function summarise({ bots, display }) {
  const summary = place("auto-bots-summary");
  if (!summary.children.length) {
    summary.append(make("span"), make("span", { class: "live pnl-figure" }));
  }
  const [count, pnl] = summary.children;
  write(count, bots.length ? `${display.running}, P&L ` : "");
  writeFigure(pnl, bots.length ? display.pnl : "");
}

function heading() {
  const heads = Object.values(COLUMNS).map((name) => make("th", { scope: "col", role: "columnheader" }, name));
  return make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...heads));
}

function table() {
  body = make("tbody", { role: "rowgroup" });
  const made = make("table", { class: "bots-table", role: "table", "aria-label": "Bots" }, heading(), body);
  place("auto-bots-list").replaceChildren(made);
}

function showEmpty(canChange) {
  const state = balanceTables.emptyState(EMPTY);
  const attributes = { onclick: () => balanceBotForm.open(null), disabled: !canChange };
  state.append(button("New bot", "plus-lg", attributes));
  place("auto-bots-list").replaceChildren(state);
  rows.clear();
  body = null;
}

function showRows(bots, canChange) {
  body ?? table();
  for (const id of rows.keys()) {
    bots.some((bot) => bot.id === id) || rows.delete(id);
  }
  for (const bot of bots) {
    rows.has(bot.id) || rows.set(bot.id, newRow(bot.id, act));
    show(rows.get(bot.id), bot, canChange);
  }
  arrange(
    body,
    bots.map(({ id }) => rows.get(id).row),
  );
}

function showProblem(words) {
  const problem = place("auto-bots-list").querySelector(".problem");
  if (problem === null) {
    place("auto-bots-list").replaceChildren(balanceParts.problem(words));
    rows.clear();
    body = null;
  } else {
    balanceLive.explain(problem, words);
  }
}

function follow(state, problem) {
  if (state === null) {
    problem && showProblem(problem);
    return;
  }
  const { bots, can_change: canChange, words, fault } = state;
  write(place("auto-bots-words"), fault ? "" : words);
  place("auto-new-bot").disabled = !canChange;
  place("auto-stop-all").disabled = !canChange || !bots.some((bot) => isOn(bot) || holds(bot));
  summarise(state);
  if (fault) {
    showProblem(fault);
  } else if (bots.length) {
    showRows(bots, canChange);
  } else if (place("auto-bots-list").querySelector(".empty button")?.disabled !== !canChange) {
    showEmpty(canChange);
  }
}

document.addEventListener("click", ({ target }) => {
  if (target.closest("#auto-new-bot")) {
    balanceBotForm.open(null);
  } else if (target.closest("#auto-stop-all")) {
    stopAll();
  }
});
balanceBots.follow(follow);
