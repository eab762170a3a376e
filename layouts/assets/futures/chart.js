/* The chart of the Futures tab: candles of one symbol, which grow with its price, and the lines of the
 * position and its orders.
 */
import { at } from "../address.js";
import { followAccount, snapshot } from "../balance.js";
import { register } from "../clientside.js";
import { appearance, colour, decimalsOf, followTheme, library } from "../curves.js";
import { feed, write } from "../live.js";
import { fetchJson } from "../requests.js";

const CANDLES = 500;
// how many of the newest ones are fetched again when they are finished, and how often
const MENDED = 60;
const MEND_MS = 2000;
// whoever has seen the prices of a candle for so long has it nearly right: it is fetched when somebody is there
const SEEN_MS = 20_000;
const RETRY_MS = 4000;
const SECONDS = { "1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14400, "1d": 86400 };
const [SOLID, DOTTED, DASHED] = [0, 1, 2];

let chart = null;
let candles = null; // the series of the chart
let shown = null; // {symbol, timeframe, seconds, times, bar, since}: what the chart shows
let drawn = ""; // the price lines and the colours that it has
let lines = [];
let tickSize = null; // by which it writes prices
let mended = 0;
let isDue = false; // whether candles have ended since
let latest = 0; // the number of the newest request, whose answer alone counts

const isOnScreen = () => !document.getElementById("futures-panel")?.hidden;
const tickOf = (symbol) => snapshot?.market.prices[symbol]?.tick_size ?? 0.01;

/* How the chart writes the prices of `symbol`. */
export function priceFormat(symbol) {
  const minMove = tickOf(symbol);
  const decimals = Math.max(2, decimalsOf(minMove));
  // by itself the chart writes wrong digits of a price in ticks that are no exact float
  return { type: "custom", minMove, formatter: (price) => price.toFixed(decimals) };
}

// one line, or none where there is no price
function line(price, title, color, lineStyle) {
  return price === null ? [] : [{ price: Number(price), title, color: colour(color), lineStyle, lineWidth: 1 }];
}

const linesOfPosition = ({ entry_price: entry, liquidation_price: liquidation, display }) => [
  ...line(entry, `${display.side} ${display.quantity}`, "accent", SOLID),
  ...line(liquidation, "Liquidation", "loss", DASHED),
];

function linesOfOrder({ price, quantity, trigger_price: trigger, activation_price: activation, display }) {
  // what is attached to the position is about all of it
  const title = quantity === null ? display.type : `${display.side} ${display.quantity} ${display.type}`;
  return [price, trigger ?? activation].flatMap((each) => line(each, title, "muted", DOTTED));
}

function build({ createChart, CandlestickSeries }) {
  const place = document.getElementById("futures-chart");
  chart = createChart(place, { autoSize: true, timeScale: { timeVisible: true, rightOffset: 4 } });
  candles = chart.addSeries(CandlestickSeries, { borderVisible: false });
  followTheme(paint);
}

function paint() {
  const [up, down] = [colour("balance"), colour("loss")];
  tickSize = tickOf(shown.symbol);
  chart.applyOptions(appearance());
  const colors = { upColor: up, wickUpColor: up, downColor: down, wickDownColor: down };
  candles.applyOptions({ ...colors, priceFormat: priceFormat(shown.symbol) });
  mark();
}

// the lines of the position and its orders
function mark() {
  const { positions, open_orders: orders } = snapshot;
  const isShown = ({ symbol }) => symbol === shown.symbol;
  const found = [
    ...positions.filter(isShown).flatMap(linesOfPosition),
    ...orders.filter(isShown).flatMap(linesOfOrder),
  ];
  if (JSON.stringify(found) !== drawn) {
    drawn = JSON.stringify(found);
    lines.forEach((each) => candles.removePriceLine(each));
    lines = found.map((each) => candles.createPriceLine(each));
  }
}

const note = (text) => write(document.getElementById("futures-chart-note"), text);

const secondsOf = (iso) => Math.floor(Date.parse(iso) / 1000);
const bar = ({ time, open, high, low, close }) => ({ time: secondsOf(time), open, high, low, close });

// those of a replay may be longer than the timeframe
function lengthOf(data, seconds) {
  const gaps = data.slice(1).map(({ time }, place) => time - data[place].time);
  return gaps.length ? Math.max(seconds, Math.min(...gaps)) : seconds;
}

async function ask(symbol, timeframe, limit) {
  const params = new URLSearchParams({ timeframe, limit });
  const [answer, problem, status] = await fetchJson(`/candles/${symbol}?${params}`);
  if (status === null) {
    throw new Error(problem);
  }
  return [answer?.candles.map(bar) ?? [], problem];
}

async function load(symbol, timeframe) {
  const number = ++latest;
  try {
    const [charts, [data, problem]] = await Promise.all([library(), ask(symbol, timeframe, CANDLES)]);
    if (number !== latest) {
      return;
    }
    note(problem || (data.length ? "" : "No candles yet. They appear with the first prices."));
    const times = new Set(data.map(({ time }) => time));
    const seconds = lengthOf(data, SECONDS[timeframe]);
    shown = { symbol, timeframe, seconds, times, bar: data.at(-1) ?? null, since: 0 };
    chart === null && build(charts);
    candles.setData(data);
    paint();
    chart.timeScale().resetTimeScale();
    grow();
  } catch {
    note("The candles could not be fetched. They follow when the server answers.");
    setTimeout(() => number === latest && load(symbol, timeframe), RETRY_MS);
  }
}

// what the newest candles really were: the page has seen only a few prices of each
async function mend() {
  const { symbol, timeframe, times } = shown;
  [mended, isDue] = [Date.now(), false];
  const number = latest;
  const [data] = await ask(symbol, timeframe, MENDED).catch(() => [[]]);
  if (number !== latest || data.length === 0) {
    return;
  }
  if (data.some(({ time }) => time <= shown.bar.time && !times.has(time))) {
    load(symbol, timeframe); // the page has missed some
    return;
  }
  data.filter(({ time }) => time < shown.bar.time).forEach((each) => candles.update(each, true));
}

// the running candle follows the last price
function grow() {
  const quote = snapshot.market.prices[shown.symbol];
  const now = secondsOf(quote?.time);
  const { seconds, bar: before } = shown;
  if (quote?.state !== "live" || now < before?.time) {
    return;
  }
  // candles begin where those before did
  const time = now - ((now - (before?.time ?? 0)) % seconds);
  const price = quote.last;
  const { open, high, low } = before?.time === time ? before : { open: price, high: price, low: price };
  shown.bar = { time, open, high: Math.max(high, price), low: Math.min(low, price), close: price };
  shown.times.add(time);
  candles.update(shown.bar);
  if (before !== null && time > before.time) {
    const isSeen = time === before.time + seconds && Date.now() - shown.since > SEEN_MS;
    [isDue, shown.since] = [true, Date.now()];
    isSeen || mendSoon();
  }
}

// an idle page sends nothing
const mendSoon = () => isDue && isOnScreen() && Date.now() - mended > MEND_MS && mend();

function follow() {
  if (shown === null || !isOnScreen()) {
    return;
  }
  // a price that has left its grid has another tick
  tickOf(shown.symbol) === tickSize ? mark() : paint();
  grow();
}

/* Shows another symbol or timeframe, or the present ones when the tab is come to. */
function chooseChart(symbol, timeframe, path) {
  const head = document.querySelector(".chart-head");
  head.querySelectorAll("[data-symbol]").forEach((price) => (price.dataset.symbol = symbol));
  feed(head);
  if (symbol && path === at("/futures")) {
    load(symbol, timeframe);
  }
  return window.dash_clientside.no_update;
}

followAccount(follow);
["pointermove", "keydown", "focus"].forEach((name) => window.addEventListener(name, mendSoon));
register({ chooseChart });
