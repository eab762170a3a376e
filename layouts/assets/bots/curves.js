/* Curves: the small one of a bot's row, and equity against buy and hold after a backtest. */
import { dollars } from "../money.js";
import { balanceParts } from "../parts.js";

const { make, draw } = balanceParts;
const [WIDE, HIGH] = [96, 28];
const MARGIN = 2;

// the points of a line through values, scaled into a box; y grows downwards
function points(values, times, [least, most], wide, high) {
  const span = most - least || 1;
  const [first, last] = [times[0], times.at(-1)];
  const length = last - first || 1;
  return values
    .map((value, place) => {
      const x = MARGIN + ((times[place] - first) / length) * (wide - 2 * MARGIN);
      const y = MARGIN + ((most - value) / span) * (high - 2 * MARGIN);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(" ");
}

const range = (values) => [Math.min(...values), Math.max(...values)];
const line = (where, className) => draw("polyline", { points: where, class: className });

/* The realised P&L after each trade, as a small drawing; `words` are what it says to a reader. */
function spark(curve, words) {
  if (curve.length === 0) {
    return make("span", { class: "nothing", title: words }, "–");
  }
  const values = [0, ...curve];
  const places = values.map((_, place) => place);
  const box = range(values);
  const tone = curve.at(-1) > 0 ? "gain" : curve.at(-1) < 0 ? "loss" : "flat";
  return draw(
    "svg",
    { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "spark", role: "img", "aria-label": words, "data-tone": tone },
    draw("title", {}, words),
    line(points([0, 0], [0, 1], box, WIDE, HIGH), "zero"),
    line(points(values, places, box, WIDE, HIGH), "curve"),
  );
}

const day = (iso) => `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;

/* Equity, and what it had been had all been put into the symbol: [time, equity, hold] each. */
function equity(curve) {
  const [times, own, hold] = [0, 1, 2].map((column) => curve.map((each) => each[column]));
  const box = range([...own, ...hold]);
  const moments = times.map(Date.parse);
  const words =
    `Equity from ${dollars(own[0])} to ${dollars(own.at(-1))}, between ${dollars(Math.min(...own))} ` +
    `and ${dollars(Math.max(...own))}; buy and hold ends at ${dollars(hold.at(-1))}`;
  const level = points([own[0], own[0]], [0, 1], box, 1000, 200);
  return make(
    "figure",
    { class: "equity" },
    make(
      "figcaption",
      { class: "legend" },
      make("span", { class: "key own" }, "Equity"),
      make("span", { class: "key hold" }, "Buy and hold"),
    ),
    make(
      "div",
      { class: "equity-range" },
      make("span", {}, dollars(box[1])),
      make("span", {}, dollars(box[0])),
    ),
    draw(
      "svg",
      { viewBox: "0 0 1000 200", preserveAspectRatio: "none", role: "img", "aria-label": words },
      line(level, "zero"),
      line(points(hold, moments, box, 1000, 200), "hold"),
      line(points(own, moments, box, 1000, 200), "own"),
    ),
    make(
      "div",
      { class: "equity-span" },
      make("span", {}, day(times[0])),
      make("span", {}, `${day(times.at(-1))} UTC`),
    ),
  );
}

export const balanceCurves = { spark, equity, day };
