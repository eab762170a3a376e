/* The first minute: three things to try on an account in which nothing has been done yet. */
import { balanceAddress } from "../address.js";
import { balanceState } from "../balance.js";
import { balanceBots } from "../bots/feed.js";
import { balanceLive } from "../live.js";
import { balanceScreen } from "../screen.js";
import { balanceFirstSteps } from "./first_steps.js";
import { balanceRefresh } from "./refresh.js";

const { ask: get, versionOf } = balanceRefresh;
const { preview, orderWords, botWords, buy, startBot } = balanceFirstSteps;
const write = (element, words) => balanceLive.write(element, words);

// what this browser keeps: the account that it was first shown for, and whether it was dismissed
const KEPT = "first-minute";
const REFRESH_MS = 5000;
const MOVES = ["deposits", "withdrawals", "adjustments", "realized_pnl", "fees_paid", "funding_paid"];
const PROGRAMS = "http,program,shell";
const DONE = {
  position: "It is on Futures Trading, where you can close it.",
  bot: "It is on Auto Trading, with what it decides and why.",
};

const place = (name) => document.getElementById(`overview-first${name && `-${name}`}`);

let isOpen = false;
let kept = read();
let account = kept.account; // the account that it is shown for until it is dismissed
let previewed = { at: 0, answer: null, wrong: "", version: "" };
let scripts = { version: null, isDone: false };
let busy = false;

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

function keep(changed) {
  kept = { ...kept, ...changed };
  localStorage.setItem(KEPT, JSON.stringify(kept));
}

const symbols = () => place("").dataset.symbols.split(" ").filter(Boolean);

function isFresh({ positions, open_orders: orders, ...figures }) {
  return positions.length + orders.length === 0 && MOVES.every((each) => Number(figures[each]) === 0);
}

function done(snapshot) {
  return {
    position: snapshot.positions.length > 0 || Number(snapshot.fees_paid) !== 0,
    bot: (balanceBots.state?.bots.length ?? 0) > 0,
    script: scripts.isDone,
  };
}

// why nothing can be traded now, or nothing
function obstacle(symbol, { market }) {
  if (symbol === undefined) {
    return "No symbol is traded here.";
  }
  const state = market.prices[symbol]?.state ?? "none";
  const why = market.words || "It can be done as soon as there is one.";
  return state === "live" ? "" : `${symbol} has no live price now. ${why}`;
}

// a bot needs a symbol that nobody else holds
function symbolOfBot({ positions }) {
  const held = new Set(positions.map(({ symbol }) => symbol));
  return symbols().find((each) => !held.has(each)) ?? symbols()[0];
}

async function previewNow(symbol, version) {
  previewed = { ...previewed, at: Date.now(), version };
  const [answer, wrong] = await preview(symbol);
  previewed = { ...previewed, answer, wrong };
  draw(balanceState.snapshot);
}

const wordsOf = (symbol) => previewed.answer === null ? "" : orderWords(symbol, previewed.answer);

function tick(name, isDone) {
  place(name).dataset.done = isDone;
  write(place(`${name}-state`), isDone ? "Done" : "");
}

function step(name, isDone, obstacle, words) {
  tick(name, isDone);
  write(place(`${name}-words`), isDone ? DONE[name] : obstacle || words);
  place(`${name}-btn`).hidden = isDone;
  place(`${name}-btn`).disabled = Boolean(obstacle) || busy || words === "";
}

function draw(snapshot) {
  if (snapshot === null || place("") === null) {
    return;
  }
  const isShown = !kept.dismissed && (isFresh(snapshot) || account === snapshot.account);
  place("").hidden = !isShown;
  if (!isShown || !isOpen) {
    return;
  }
  const [first, ofBot, state] = [symbols()[0], symbolOfBot(snapshot), done(snapshot)];
  const isAll = Object.values(state).every(Boolean);
  account = snapshot.account;
  if (kept.account !== (isAll ? null : account)) {
    keep({ account: isAll ? null : account });
  }
  const bots = balanceBots.state;
  const noBots = bots?.can_change === false ? bots.words : "";
  step("position", state.position, obstacle(first, snapshot) || previewed.wrong, wordsOf(first));
  step("bot", state.bot, obstacle(ofBot, snapshot) || noBots, botWords(ofBot));
  tick("script", state.script);
  const count = Object.values(state).filter(Boolean).length;
  write(place("progress"), isAll ? "All three are done." : `${count} of 3 done`);
  write(place("dismiss"), isAll ? "Close" : "Not now");
  ask(snapshot, first, state);
}

// what has to be fetched, each at its time
function ask(snapshot, symbol, state) {
  const version = `${versionOf(snapshot)}.${snapshot.tick}`;
  const isDue = previewed.version !== version && Date.now() - previewed.at > REFRESH_MS;
  if (isDue && !state.position && !obstacle(symbol, snapshot) && document.visibilityState === "visible") {
    previewNow(symbol, version);
  }
  if (!state.script && scripts.version !== versionOf(snapshot)) {
    scripts.version = versionOf(snapshot);
    askForScripts();
  }
}

async function askForScripts() {
  const [answer] = await get(`/history/ledger?limit=1&source=${PROGRAMS}`);
  if (answer === null) {
    scripts.version = null; // it is fetched again when the server is back
    return;
  }
  // the account itself may have been made by a program
  scripts.isDone = answer.rows.some(({ kind }) => kind !== "start");
  scripts.isDone && draw(balanceState.snapshot);
}

async function once(run) {
  if (!busy) {
    busy = true;
    draw(balanceState.snapshot);
    await run();
    busy = false;
    draw(balanceState.snapshot);
  }
}

const ACTS = {
  "overview-first-position-btn": () => once(() => buy(symbols()[0], previewed.answer)),
  "overview-first-bot-btn": () => once(() => startBot(symbolOfBot(balanceState.snapshot))),
  "overview-first-dismiss": () => {
    keep({ dismissed: true, account: null });
    draw(balanceState.snapshot);
  },
};

document.addEventListener("click", ({ target }) => ACTS[target.closest?.("button")?.id]?.());
balanceState.follow(draw);
balanceBots.follow(() => draw(balanceState.snapshot));
balanceScreen.follow((path) => {
  isOpen = path === balanceAddress.at("/");
  draw(balanceState.snapshot);
});
