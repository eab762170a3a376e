/* The dialog that runs a bot's settings over the past: this feed's, or a file of candles. */
import { balanceAmounts } from "../amounts.js";
import { register } from "../clientside.js";
import { balanceLive } from "../live.js";
import { page } from "../page.js";
import { balanceParts } from "../parts.js";
import { balanceRequests } from "../requests.js";
import { balanceReport } from "./report.js";

const { make, button, field, folded, lastLine, numberInput, dialog, symbolLabel } = balanceParts;

const POLL_MS = 300;
const TIMEOUT_MS = 30_000;

let made = null;
let settings = null; // what is tested
let running = null; // the id of what runs
let latest = 0; // the number of the newest run; what came of an older one is dropped

const place = (id) => document.getElementById(`backtest-${id}`);
const error = (words) => balanceLive.explain(place("dialog-error"), words);
const say = (words) => balanceLive.write(place("words"), words);

// what came of the one before is not that of the next
function clear() {
  say("");
  place("result").replaceChildren();
}

const ask = (path, options) => balanceRequests.fetchJson(path, { timeout: TIMEOUT_MS, ...options });

function showRunning(words, progress = null) {
  const [shown, hidden] = running === null ? ["run", "cancel"] : ["cancel", "run"];
  const hadFocus = document.activeElement === place(hidden);
  place(shown).hidden = false;
  place(hidden).hidden = true;
  hadFocus && place(shown).focus();
  place("progress").hidden = running === null;
  if (progress !== null) {
    place("bar").value = progress;
  }
  balanceLive.write(place("percent"), words);
}

function end(words = "") {
  running = null;
  showRunning("");
  error(words);
}

function show({ id, state, progress, words, result }) {
  if (state === "running") {
    running = id;
    showRunning(words || `${Math.floor(progress * 100)}%`, progress);
    return;
  }
  end();
  if (state === "failed") {
    error(lastLine(words));
    words.includes("\n") && place("result").append(folded(words, "Where it failed"));
  } else if (state === "cancelled") {
    say("Cancelled.");
  } else if (state === "done") {
    const { drawn, spanOf } = balanceReport;
    say([spanOf(result), words, result.stopped_because].filter(Boolean).join(" "));
    place("result").replaceChildren(...drawn(result));
  }
}

// follows it to its end, unless another run began meanwhile
async function watch(number, backtest) {
  let fault = "";
  while (number === latest && backtest.state === "running") {
    show(backtest);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const [answer, wrong] = number === latest ? await ask(`/backtests/${backtest.id}`) : [null, ""];
    fault = wrong;
    backtest = answer?.backtest ?? { ...backtest, state: wrong ? "lost" : backtest.state };
  }
  if (number === latest) {
    show(backtest);
    fault && error(fault);
  }
}

function body() {
  const [balance, wrong] = balanceAmounts.read(place("balance").value);
  if (balance === null) {
    return [null, `Starting balance: ${wrong}`];
  }
  const [chosen, missing] = page.balanceBacktestSource.chosen();
  const members = JSON.stringify({ ...settings, ...chosen });
  return missing ? [null, missing] : [`${members.slice(0, -1)}, "balance": ${balance}}`, ""];
}

async function run() {
  const [members, wrong] = body();
  error(wrong);
  if (wrong || running !== null) {
    return;
  }
  const number = ++latest;
  clear();
  running = "";
  showRunning("Starting…", 0);
  const headers = { "Content-Type": "application/json" };
  const [answer, fault] = await ask("/backtests", { method: "POST", headers, body: members });
  if (fault) {
    number === latest && end(fault);
  } else if (number !== latest) {
    drop(answer.backtest.id);
  } else {
    await watch(number, answer.backtest);
  }
}

const drop = (id) => ask(`/backtests/${id}`, { method: "DELETE" });

function cancel() {
  const id = running;
  latest += 1;
  end();
  say("Cancelled.");
  id && drop(id);
}

function choices() {
  const balance = numberInput("backtest-balance", { value: "10,000" });
  return make(
    "div",
    { class: "backtest-choices" },
    ...page.balanceBacktestSource.build(),
    field("Starting balance", balance, { unit: "USDT" }),
    make(
      "div",
      { class: "backtest-run" },
      button("Run", "play-fill", { type: "submit", id: "backtest-run" }, "primary"),
      button("Cancel", "x-circle", { id: "backtest-cancel", hidden: true, onclick: cancel }),
    ),
  );
}

function build() {
  const bar = { id: "backtest-bar", max: 1, value: 0, "aria-label": "Progress" };
  made = dialog("backtest-dialog", {
    title: "Backtest",
    wide: true,
    body: [
      make("p", { class: "dialog-words", id: "backtest-what" }),
      choices(),
      make(
        "div",
        { id: "backtest-progress", hidden: true },
        make("progress", bar),
        make("span", { id: "backtest-percent" }),
      ),
      make("p", { class: "dialog-words", id: "backtest-words", role: "status" }),
      make("div", { id: "backtest-result" }),
    ],
    foot: [button("Close", "", { "data-close": true })],
    onsubmit: run,
  });
  // nobody waits for it any more
  made.addEventListener("close", () => {
    latest += 1;
    running && drop(running);
    running = null;
  });
}

function words({ name, symbol, timeframe, stake, stake_unit: unit, leverage }, strategy) {
  const size = unit === "usdt" ? `${stake} USDT` : `${stake}%`;
  return `${name}: ${strategy} on ${symbolLabel(symbol)}, candles of ${timeframe}, ${size} at ${leverage}x.`;
}

/* Opens it for the settings of a bot, whether there is one or not; `strategy` is its own in words. */
function open(tested, strategy) {
  made ?? build();
  settings = tested;
  place("what").textContent = words(tested, strategy);
  clear();
  end();
  made.showModal();
  place("run").focus();
}

export const balanceBacktest = { open, ask, error, symbol: () => settings.symbol };
register({ openBacktest: ({ settings: tested, words: strategy }) => open(tested, strategy) });
