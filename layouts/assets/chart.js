/* The chart of the Futures tab: candles of one symbol, which grow with its price, and the lines of the
 * position and its orders.
 */
import { balanceAddress } from "./address.js";
import { balanceState } from "./balance.js";
import { register } from "./clientside.js";
import { balanceLive } from "./live.js";
import { balanceRequests } from "./requests.js";

const CANDLES = 500;
// how many of the newest ones are fetched again when they are finished, and how often
const MENDED = 60;
const MEND_MS = 2000;
const RETRY_MS = 4000;
const TICK_MS = 1000;
const WAIT_MS = 50;
const SECONDS = { "1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14400, "1d": 86400 };

let shown = null; // {symbol, timeframe, data, times, bar}: what the chart shows
let lines = ""; // the price lines it has
let tickSize = null; // by which it writes prices
let mended = 0;
let ticked = 0; // when the chart last got the price, and the timer of the next
let ticking = null;
let latest = 0; // the number of the newest request, whose answer alone counts

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
// the chart takes a moment to come into the page
function set(props) {
  if (document.getElementById("futures-chart") === null) {
    setTimeout(() => set(props), WAIT_MS);
  } else {
    window.dash_clientside.set_props("futures-chart", props);
  }
}

const isOnScreen = () => !document.getElementById("futures-panel")?.hidden;

const tickOf = (symbol) => balanceState.snapshot?.market.prices[symbol]?.tick_size ?? 0.01;

function priceFormat(symbol) {
  const tick = tickOf(symbol);
  const plain = tick.toLocaleString("en-US", { useGrouping: false, maximumFractionDigits: 20 });
  const precision = Math.max(2, plain.split(".")[1]?.length ?? 0);
  // the chart multiplies the two, and writes wrong digits where that is no whole number of units
  const units = Math.round(tick * 10 ** precision);
  const near = [tick, tick * (1 + Number.EPSILON), tick * (1 - Number.EPSILON / 2)];
  const minMove = near.find((each) => each * 10 ** precision === units) ?? tick;
  return { type: "price", precision, minMove };
}

function chartOptions() {
  return {
    layout: {
      background: { type: "solid", color: colour("--surface") },
      textColor: colour("--muted"),
      fontFamily: getComputedStyle(document.body).fontFamily,
      fontSize: 12,
    },
    grid: {
      vertLines: { color: colour("--line") },
      horzLines: { color: colour("--line") },
    },
    rightPriceScale: { borderColor: colour("--line") },
    timeScale: { borderColor: colour("--line"), timeVisible: true, rightOffset: 4 },
    localization: { locale: "en-GB" },
    autoSize: true,
  };
}

function seriesOptions(symbol) {
  const [up, down] = [colour("--balance"), colour("--loss")];
  return {
    upColor: up,
    wickUpColor: up,
    downColor: down,
    wickDownColor: down,
    borderVisible: false,
    priceFormat: priceFormat(symbol),
  };
}

function line(price, title, color, style) {
  return { price: Number(price), title, color: colour(color), lineStyle: style, lineWidth: 1 };
}

const DASHED = 2;
const DOTTED = 1;

function linesOf({ positions, open_orders: orders }, symbol) {
  const found = [];
  for (const each of positions.filter((position) => position.symbol === symbol)) {
    const title = `${each.display.side} ${each.display.quantity}`;
    found.push(line(each.entry_price, title, "--accent", 0));
    if (each.liquidation_price !== null) {
      found.push(line(each.liquidation_price, "Liquidation", "--loss", DASHED));
    }
  }
  for (const each of orders.filter((order) => order.symbol === symbol)) {
    const { side, quantity, type } = each.display;
    // what is attached to the position is about all of it
    const title = each.quantity === null ? type : `${side} ${quantity} ${type}`;
    const prices = [each.price, each.trigger_price ?? each.activation_price];
    for (const price of prices.filter((level) => level !== null)) {
      found.push(line(price, title, "--muted", DOTTED));
    }
  }
  return found;
}

function draw(snapshot) {
  const priceLines = linesOf(snapshot, shown.symbol);
  lines = JSON.stringify(priceLines);
  tickSize = tickOf(shown.symbol);
  set({
    chartOptions: chartOptions(),
    series: [
      {
        id: "price",
        type: "candlestick",
        data: shown.data,
        options: seriesOptions(shown.symbol),
        priceLines,
      },
    ],
  });
}

function note(words) {
  balanceLive.write(document.getElementById("futures-chart-note"), words);
}

function bar({ time, open, high, low, close }) {
  return { time: Math.floor(Date.parse(time) / 1000), open, high, low, close };
}

// those of a replay may be longer than the timeframe
function lengthOf(data, seconds) {
  const gaps = data.slice(1).map(({ time }, place) => time - data[place].time);
  return gaps.length ? Math.max(seconds, Math.min(...gaps)) : seconds;
}

async function ask(symbol, timeframe, limit) {
  const path = `/candles/${symbol}?${new URLSearchParams({ timeframe, limit })}`;
  const [answer, problem, status] = await balanceRequests.fetchJson(path);
  if (status === null) {
    throw new Error(problem);
  }
  return [answer?.candles.map(bar) ?? [], problem];
}

async function load(symbol, timeframe) {
  const number = ++latest;
  try {
    const [data, wrong] = await ask(symbol, timeframe, CANDLES);
    if (number !== latest) {
      return;
    }
    note(wrong || (data.length ? "" : "No candles yet. They appear with the first prices."));
    const times = new Set(data.map(({ time }) => time));
    const seconds = lengthOf(data, SECONDS[timeframe]);
    shown = { symbol, timeframe, seconds, data, times, unsent: [], bar: data.at(-1) ?? null };
    draw(balanceState.snapshot);
    set({ timeScaleAction: { action: "resetTimeScale", nonce: number } });
    grow(balanceState.snapshot);
  } catch {
    note("The candles could not be fetched. They follow when the server answers.");
    setTimeout(() => number === latest && load(symbol, timeframe), RETRY_MS);
  }
}

// what the newest candles really were: the page has seen only a few prices of each
async function mend() {
  const { symbol, timeframe, times } = shown;
  mended = Date.now();
  const number = latest;
  const [data] = await ask(symbol, timeframe, MENDED).catch(() => [[]]);
  if (number !== latest || data.length === 0) {
    return;
  }
  if (data.some(({ time }) => time <= shown.bar.time && !times.has(time))) {
    load(symbol, timeframe); // the page has missed some
    return;
  }
  const finished = data.filter(({ time }) => time < shown.bar.time);
  const better = finished.map((each) => ({ id: "price", bar: each, historicalUpdate: true }));
  // the chart mends no candle that it has not
  set({ tick: [...unsent(), ...better] });
}

// the running candle follows the last price
function grow({ market }) {
  const quote = market.prices[shown.symbol];
  if (quote === undefined || quote.state !== "live") {
    return;
  }
  const now = Math.floor(Date.parse(quote.time) / 1000);
  const { seconds, bar: before } = shown;
  if (before !== null && now < before.time) {
    return;
  }
  // candles begin where those before did
  const time = now - ((now - (before?.time ?? 0)) % seconds);
  const price = quote.last;
  const running = before?.time === time ? before : { open: price, high: price, low: price };
  shown.bar = {
    time,
    open: running.open,
    high: Math.max(running.high, price),
    low: Math.min(running.low, price),
    close: price,
  };
  shown.times.add(time);
  // a fast replay begins more than one candle between two changes of the chart
  shown.unsent = [...shown.unsent.filter((each) => each.time !== time), shown.bar];
  tick();
  if (before !== null && time > before.time && Date.now() - mended > MEND_MS) {
    mend();
  }
}

// the candles that the chart has not got yet, which it gets now
function unsent() {
  const bars = shown.unsent;
  shown.unsent = [];
  return bars.map((bar) => ({ id: "price", bar }));
}

// at most once a second, as a change of any property makes Dash go through all of the chart's
function tick() {
  const wait = TICK_MS - (Date.now() - ticked);
  if (wait <= 0) {
    ticked = Date.now();
    clearTimeout(ticking);
    ticking = null;
    set({ tick: unsent() });
  } else {
    ticking ??= setTimeout(() => ((ticking = null), tick()), wait);
  }
}

function follow(snapshot) {
  if (shown === null || !isOnScreen()) {
    return;
  }
  // a price that has left its grid has another tick
  const isOther = tickOf(shown.symbol) !== tickSize;
  if (isOther || JSON.stringify(linesOf(snapshot, shown.symbol)) !== lines) {
    draw(snapshot);
  }
  grow(snapshot);
}

/* Shows another symbol or timeframe, or the present ones when the tab is come to. */
function choose(symbol, timeframe, path) {
  const head = document.querySelector(".chart-head");
  for (const price of head.querySelectorAll("[data-symbol]")) {
    price.dataset.symbol = symbol;
  }
  balanceLive.feed(head);
  if (symbol && path === balanceAddress.at("/futures")) {
    load(symbol, timeframe);
  }
  return window.dash_clientside.no_update;
}

// the colours are those of the theme, whichever it is
new MutationObserver(() => shown !== null && draw(balanceState.snapshot)).observe(
  document.documentElement,
  { attributeFilter: ["data-bs-theme"] },
);

balanceState.follow(follow);
register({ chooseChart: choose });
