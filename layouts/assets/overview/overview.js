/* What of Overview only the page knows: when Python is to draw a part of it anew, as more than its figures
 * has changed, and how long the bars are. */
import { at } from "../address.js";
import { onArrival } from "../arrivals.js";
import { followAccount, hearEvent, snapshot, streaming } from "../balance.js";
import { provide, rowsOf } from "../live.js";
import { marker } from "../redraw.js";

// what the first order would do is worked out anew when the price has moved by so much
const MOVED = 0.01;
// a callback takes the page some 30 ms, and bots may book many entries a second
const LEDGER_PAUSE_MS = 3000;

const mark = (name, pause) => marker(`overview-${name}-drawn`, { tab: "/", pause });
const markLedger = mark("ledger", LEDGER_PAUSE_MS);
const [markPositions, markFirst] = [mark("positions"), mark("first")];
let held = []; // the positions, the largest first
let priced = 0; // the price that the first order was worked out at
const known = new Promise(followAccount); // fulfilled once the account is

/* What the first minute looks like; while it is not shown, only a new epoch brings it. */
function firstMinute({ account, epoch, revision, market }) {
  const quotes = Object.entries(market.prices);
  const states = quotes.map(([symbol, { state }]) => [symbol, state]);
  const price = Number(quotes[0]?.[1].last ?? 0);
  priced = Math.abs(price / priced - 1) < MOVED ? priced : price;
  const isHidden = document.getElementById("overview-first").hidden;
  return [account, epoch, ...(isHidden ? [] : [revision, rowsOf("bots").size, states, priced])];
}

function drawBar(bar) {
  const position = held.find(({ symbol }) => symbol === bar.dataset.bar);
  bar.style.width = position ? `${(position.notional / held[0].notional) * 50}%` : 0;
}

async function showFigures(figures) {
  // a page that was opened on an account that can't be read shows no figure of it
  await known;
  provide("performance", [{ ...figures, id: "account" }]);
}

followAccount(({ account, revision, display, positions }) => {
  held = [...positions].sort((one, other) => other.notional - one.notional);
  document.querySelectorAll("[data-bar]").forEach(drawBar);
  // in other decimals each amount is another text
  markLedger(JSON.stringify([account, revision, display.starting_balance]));
  const looks = held.map(({ symbol, display: shown, exposure_percent: share }) => {
    return [symbol, shown.side_words, shown.liquidation_price, share === null];
  });
  markPositions(JSON.stringify(looks));
  markFirst(JSON.stringify(firstMinute(snapshot)));
});

hearEvent("performance", showFigures, {
  address: "/performance",
  isNeeded: () => !streaming && location.pathname === at("/"),
});
onArrival("[data-bar]", drawBar);
