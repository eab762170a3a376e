/* One bot as a row of the table, which is changed in place: what did not change is not touched, so
 * that the focus stays and nothing flickers.
 */
import { balanceLive } from "../live.js";
import { balanceParts } from "../parts.js";
import { balanceScreen } from "../screen.js";
import { balanceCurves } from "./curves.js";

const { make, button, iconButton, moment, sideWords, writeFigure } = balanceParts;

const MAIN = {
  stopped: ["Start", "play-fill", "start"],
  running: ["Pause", "pause-fill", "pause"],
  paused: ["Resume", "play-fill", "resume"],
};
/* What the columns are called; a narrow screen has the words in each card. */
const COLUMNS = {
  name: "Bot",
  status: "State",
  position: "Position",
  pnl: "P&L",
  wins: "Win rate",
  curve: "P&L by trade",
  signal: "Last signal",
  actions: "Actions",
};

const write = (element, words) => balanceLive.write(element, words);
const line = (className) => make("div", { class: className });

function cell(name, ...children) {
  const attributes = { class: `bot-${name}`, role: "cell", "data-label": COLUMNS[name] };
  return make("td", attributes, ...children);
}

/* A row for the bot with the `id`; `act` is called with what was pressed. */
function newRow(id, act) {
  const parts = {
    name: line("bot-title"),
    what: line("bot-below"),
    state: make("span", { class: "bot-state" }),
    because: line("bot-below"),
    position: line("live"),
    entry: line("bot-below"),
    pnl: line("live pnl-figure"),
    realized: line("bot-below"),
    wins: line("live"),
    trades: line("bot-below"),
    curve: cell("curve"),
    signal: line("bot-signal-words"),
    reason: line("bot-reason"),
    did: line("bot-below bot-did"),
    refused: line("bot-below bot-refused"),
    main: button("", "play-fill", { onclick: () => act(id, parts.main.dataset.verb) }),
    stop: button("Stop", "stop-fill", { onclick: () => act(id, "stop") }),
  };
  const small = [
    iconButton("pencil", "Edit", () => act(id, "edit")),
    iconButton("copy", "Duplicate", () => act(id, "duplicate")),
    iconButton("graph-up", "Backtest", () => act(id, "backtest")),
    iconButton("trash", "Delete", () => act(id, "delete"), "outline-danger"),
  ];
  const row = make(
    "tr",
    { role: "row", "data-bot": id },
    cell("name", parts.name, parts.what),
    cell("status", parts.state, parts.because),
    cell("position", parts.position, parts.entry),
    cell("pnl", parts.pnl, parts.realized),
    cell("wins", parts.wins, parts.trades),
    parts.curve,
    cell("signal", parts.signal, parts.reason, parts.did, parts.refused),
    cell("actions", make("div", { class: "bot-buttons" }, parts.main, parts.stop, ...small)),
  );
  return { row, parts, small, shown: "", curve: "", signal: "", booked: null };
}

function showState({ parts }, { status, display, held_by: other, stopped_because: because }) {
  const waits = status !== "stopped" && other !== null;
  write(parts.state, display.status);
  parts.state.dataset.status = waits ? "waits" : status;
  write(parts.because, waits ? display.held_by : (because ?? ""));
}

function showPosition({ parts }, { position, display }) {
  write(parts.position, display.position);
  write(parts.entry, position === null ? "" : `at ${display.entry_price}`);
}

function showResult(shown, { trades, wins, position, display, realized }) {
  const { parts } = shown;
  const changed = writeFigure(parts.pnl, display.pnl);
  // prices move all the time: only what a trade has changed flashes
  const booked = JSON.stringify([trades, realized, position?.quantity]);
  if (changed && shown.booked !== null && shown.booked !== booked) {
    balanceScreen.flash(parts.pnl);
  }
  shown.booked = booked;
  const open = position === null ? "" : `${display.unrealized_pnl} open`;
  write(parts.realized, open);
  write(parts.wins, display.win_rate);
  write(parts.trades, trades === 0 ? "no trades" : `${wins} of ${trades}`);
}

function showCurve(shown, { curve, display }) {
  const drawn = JSON.stringify(curve);
  if (shown.curve !== drawn) {
    shown.curve = drawn;
    shown.parts.curve.replaceChildren(balanceCurves.spark(curve, display.curve));
  }
}

function showSignal(shown, { signal, symbol }) {
  const { parts } = shown;
  const drawn = JSON.stringify(signal);
  if (shown.signal === drawn) {
    return;
  }
  shown.signal = drawn;
  if (signal === null) {
    parts.signal.replaceChildren(make("span", { class: "nothing" }, "None yet"));
  } else {
    const side = make("span", { class: "bot-side" }, sideWords(signal));
    parts.signal.replaceChildren(side, " ", moment(signal.time, symbol));
  }
  for (const [part, words] of [[parts.reason, signal?.reason], [parts.did, signal?.words]]) {
    write(part, words ?? "");
    part.title = words ?? "";
  }
}

function showButtons({ parts, small }, { name, status }, canChange) {
  const [words, icon, verb] = MAIN[status];
  const { main, stop } = parts;
  write(main, words);
  main.className = `btn btn-sm btn-outline-secondary bi-${icon}`;
  main.dataset.verb = verb;
  main.setAttribute("aria-label", `${words} ${name}`);
  stop.setAttribute("aria-label", `Stop ${name}`);
  if (status === "stopped" && document.activeElement === stop) {
    main.focus();
  }
  stop.hidden = status === "stopped";
  for (const each of small) {
    each.setAttribute("aria-label", `${each.title} ${name}`);
  }
  // a backtest changes nothing, so it is offered whatever the state
  const changing = [main, stop, ...small.filter(({ title }) => title !== "Backtest")];
  changing.forEach((each) => (each.disabled = !canChange));
}

/* Has the row say what `bot`, as GET /bots tells it, is like now. */
function show(shown, bot, canChange) {
  const news = JSON.stringify([bot, canChange]);
  if (shown.shown === news) {
    return;
  }
  shown.shown = news;
  const { settings, display } = bot;
  write(shown.parts.name, bot.name);
  write(shown.parts.what, `${bot.symbol} · ${settings.timeframe} · ${display.strategy}`);
  shown.parts.what.title = `${display.strategy}, ${display.stake}`;
  showState(shown, bot);
  showPosition(shown, bot);
  showResult(shown, bot);
  showCurve(shown, bot);
  showSignal(shown, bot);
  write(shown.parts.refused, display.refused_signal);
  shown.parts.refused.title = display.refused_signal;
  showButtons(shown, bot, canChange);
}

export const balanceBotRow = { COLUMNS, newRow, show };
