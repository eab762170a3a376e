/* What is open of each symbol: how much of it is long or short, and the positions at a glance. */
import { balanceAddress } from "../address.js";
import { balanceState } from "../balance.js";
import { derivable } from "../details.js";
import { balanceLive } from "../live.js";
import { balanceParts } from "../parts.js";
import { balanceScreen } from "../screen.js";
import { balanceTables } from "../tables.js";

const { make, arrange, writeFigure } = balanceParts;
const write = (element, words) => balanceLive.write(element, words);

const NOTHING = [
  "bi-circle-half",
  "Nothing is at risk",
  "What you hold long or short is shown here against your equity. Open a position on Futures Trading.",
];
const NONE_OPEN = [
  "bi-graph-up-arrow",
  "No open positions",
  "Your positions are listed here with their profit or loss, and how far away liquidation is.",
];

const place = (name) => document.getElementById(`overview-${name}`);

let isShown = false;
// by symbol
const bars = new Map();
const rows = new Map();

function newBar(symbol) {
  const bar = make("span", { class: "bar" });
  const words = make("span", { class: "exposure-words", ...derivable(`notional:${symbol}`) });
  const name = make("span", { class: "exposure-symbol" }, symbol);
  const scale = make("span", { class: "scale", "aria-hidden": "true" }, bar);
  return { element: make("li", {}, name, words, scale), bar, words };
}

function showBar({ bar, words }, { side, notional, exposure_percent: share, display }, most) {
  bar.dataset.side = side;
  bar.style.width = `${(notional / most) * 50}%`;
  const part = share === null || share === undefined ? "" : `, ${display.exposure_percent}`;
  write(words, `${display.side} ${display.notional}${part}`);
}

function newRow(symbol) {
  const figure = (name, derive) =>
    make("span", { class: `${name} pnl-figure`, ...derivable(`${derive}:${symbol}`) });
  const parts = {
    side: make("span", { class: "side" }),
    pnl: figure("pnl", "unrealized_pnl"),
    roe: figure("roe", "roe_percent"),
    distance: make("span", { class: "distance" }),
  };
  const where = { href: balanceAddress.at("/futures"), "data-choice": "futures-symbol", "data-value": symbol };
  const link = make("a", { class: "symbol", ...where }, symbol);
  return { element: make("li", { class: "glance" }, link, ...Object.values(parts)), ...parts };
}

function showRow({ side, pnl, roe, distance }, { liquidation_price: price, display }) {
  write(side, display.side_words);
  side.dataset.side = display.side.toLowerCase();
  writeFigure(pnl, display.unrealized_pnl);
  writeFigure(roe, display.roe_percent);
  const far = display.liquidation_distance_percent;
  write(distance, price === null ? "no liquidation" : `${far} to liquidation`);
  distance.title = price === null ? "" : `Liquidated at a mark price of ${display.liquidation_price}`;
}

// one element for each position in a list, those that stay kept
function showList(list, known, positions, create, showOne) {
  for (const symbol of known.keys()) {
    positions.some((each) => each.symbol === symbol) || known.delete(symbol);
  }
  for (const each of positions) {
    known.has(each.symbol) || known.set(each.symbol, create(each.symbol));
    showOne(known.get(each.symbol), each);
  }
  arrange(list, positions.map(({ symbol }) => known.get(symbol).element));
}

function showEmpty(name, isEmpty, empty) {
  const element = place(`${name}-empty`);
  place(name).hidden = isEmpty;
  element.hidden = !isEmpty;
  if (isEmpty && element.firstChild === null) {
    element.append(balanceTables.emptyState(empty));
  }
}

function draw(snapshot) {
  if (!isShown || snapshot === null) {
    return;
  }
  const positions = [...snapshot.positions].sort((one, other) => other.notional - one.notional);
  const most = Math.max(1e-9, ...positions.map(({ notional }) => notional));
  showEmpty("exposure-bars", positions.length === 0, NOTHING);
  showEmpty("glance", positions.length === 0, NONE_OPEN);
  showList(place("exposure-bars"), bars, positions, newBar, (bar, each) => showBar(bar, each, most));
  showList(place("glance"), rows, positions, newRow, showRow);
}

// a link to Futures Trading, with one of its choices made
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-choice]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    window.dash_clientside.set_props(link.dataset.choice, { value: link.dataset.value });
    balanceAddress.go(link.getAttribute("href"));
  }
});

balanceState.follow(draw);
balanceScreen.follow((path) => {
  isShown = path === balanceAddress.at("/");
  draw(balanceState.snapshot);
});
