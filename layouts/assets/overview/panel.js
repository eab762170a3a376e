/* The panel of the equity: its ranges, its curve with what is read off it, and the same as a table. */
import { derivable } from "../details.js";
import { balanceLive } from "../live.js";
import { balanceParts } from "../parts.js";
import { balanceScreen } from "../screen.js";
import { balanceTables } from "../tables.js";
import { balanceCrosshair } from "./crosshair.js";
import { balanceCurve } from "./curve.js";
import { balanceDrawing } from "./drawing.js";
import { balanceFlags } from "./flags.js";

const { make, choice, arrange, writeFigure } = balanceParts;
const { newReadout, newSlider, tell, texts } = balanceCrosshair;
const curve = balanceCurve;
const drawing = balanceDrawing;
const write = (element, words) => balanceLive.write(element, words);

// while prices move the curve is drawn at most so often
const DRAW_MS = 1000;
const MOST_ROWS = 24;
const EMPTY = [
  "bi-graph-up",
  "The curve begins here",
  "The equity is recorded from now on, about every 5 s while prices move and at each change, " +
    "whether a browser is open or not. In a few seconds there is something to draw.",
];
const FIGURES = [
  ["equity_low", "Lowest", "The lowest equity in this range"],
  ["equity_high", "Highest", "The highest equity in this range"],
  ["pnl", "P&L", "Gained or lost in this range, whatever was put in or taken out"],
  ["return_percent", "Return", "Time-weighted: the returns between deposits, withdrawals and resets, multiplied"],
  ["max_drawdown_percent", "Drawdown", "The furthest below the best before, of the same epoch"],
];

const place = (name) => document.getElementById(`overview-equity-${name}`);

// made once, when the tab is first shown
let parts = null;
let values = null; // of the figures below the curve
let drawn = 0;
let waiting = null;
let isRead = false; // whether something is read off the curve now
let readAt = null; // at which time, as places change while points come
const state = { points: [], at: null, frame: null, look };

function build() {
  const made = drawing.newDrawing();
  const flags = make("div", { class: "flags" });
  const readout = newReadout();
  const slider = newSlider(state);
  const plot = make("div", { class: "plot" }, made.svg, slider, flags);
  const ranges = Object.entries(curve.RANGES).map(([name, [words]]) => [name, words]);
  place("ranges").replaceChildren(choice("overview-range", "Range", ranges, curve.choose));
  place("readout").replaceChildren(readout.element);
  parts = { made, flags, readout, slider, plot };
  new ResizeObserver(() => draw()).observe(place("plot"));
  place("table").addEventListener("toggle", table);
}

function look(at) {
  isRead = at !== null;
  readAt = isRead ? state.points[at].time : null;
  read();
}

// shows the point under the pointer, or the newest one
function read() {
  const found = isRead ? state.points.findIndex(({ time }) => time >= readAt) : -1;
  state.at = found === -1 ? null : found;
  const point = state.at === null ? null : state.points[state.at];
  drawing.point(parts.made, point);
  parts.readout.show(point ?? state.points.at(-1));
  tell(parts.slider, state.points, state.at);
}

function draw() {
  drawn = Date.now();
  const width = place("plot").clientWidth;
  if (!curve.hasCurve() || width === 0) {
    return;
  }
  const points = curve.points();
  drawing.show(parts.made, points, curve.state.known, width);
  state.points = points.filter(Boolean);
  state.frame = parts.made.frame;
  parts.slider.style.width = `${state.frame.right}px`;
  balanceFlags.show(parts.flags, curve.state.known.marks, state.frame);
  read();
}

function drawSoon() {
  waiting ??= setTimeout(
    () => {
      waiting = null;
      draw();
    },
    Math.max(0, DRAW_MS - (Date.now() - drawn)),
  );
}

function showRanges() {
  const { range, known } = curve.state;
  for (const name of Object.keys(curve.RANGES)) {
    const input = document.getElementById(`overview-range-${name}`);
    input.checked = name === range;
    input.disabled = known !== null && name !== range && !curve.isOldEnough(name);
    const label = input.nextElementSibling;
    label.title = input.disabled ? "The account is not that old" : "";
  }
}

function newFigures() {
  const values = FIGURES.map(() => make("span", { class: "value pnl-figure" }));
  const spans = FIGURES.map(([, words, title], at) => make("span", { title }, `${words} `, values[at]));
  place("figures").replaceChildren(...spans);
  return values;
}

// those stay that are there: one may have the focus
function figures({ display }, range, derivations) {
  values ??= newFigures();
  FIGURES.forEach(([name], at) => {
    const value = values[at];
    name.startsWith("equity") ? write(value, display[name]) : writeFigure(value, display[name]);
    if (name in derivations) {
      const attributes = Object.entries(derivable(`range:${range}:${name}`));
      attributes.forEach(([each, text]) => value.setAttribute(each, text));
    }
  });
}

// a thinned table of the same points, made while it is open
function table() {
  if (!place("table").open || !curve.hasCurve()) {
    return;
  }
  const points = curve.points().filter(Boolean);
  const every = Math.max(1, Math.ceil(points.length / MOST_ROWS));
  const chosen = points.filter((_, at) => (points.length - 1 - at) % every === 0).reverse();
  const heads = ["Time", "Equity", "P&L", "Drawdown"];
  const body = chosen.map(texts).map(({ time, equity, pnl, drawdown }) => {
    const numbers = [equity, pnl, drawdown].map((each) => make("td", { class: "number" }, each));
    return make("tr", {}, make("th", { scope: "row" }, time), ...numbers);
  });
  const row = heads.map((each, at) => make("th", { scope: "col", class: at ? "number" : "" }, each));
  const made = make("table", { class: "ledger" }, make("thead", {}, make("tr", {}, ...row)));
  made.append(make("tbody", {}, ...body));
  place("rows").replaceChildren(made);
}

// what stands in the place of the curve: it, or why there is none
function content() {
  const { problem, known } = curve.state;
  if (curve.hasCurve()) {
    return parts.plot;
  }
  if (problem) {
    return balanceParts.problem(problem);
  }
  return known === null ? null : (place("plot").querySelector(".empty") ?? balanceTables.emptyState(EMPTY));
}

function follow(isNew) {
  if (!isNew) {
    drawSoon();
    return;
  }
  const { known, problem, isLoading } = curve.state;
  const made = content();
  made === null ? place("plot").replaceChildren() : arrange(place("plot"), [made]);
  const words = [problem && curve.hasCurve() ? problem : "", known?.words ?? ""];
  balanceLive.explain(place("note"), words.filter(Boolean).join(" "));
  place("plot").setAttribute("aria-busy", isLoading && !problem);
  place("table").classList.toggle("unseen", !curve.hasCurve());
  showRanges();
  if (known !== null) {
    figures(known.figures, known.range, known.derivations);
  }
  draw();
  table();
}

curve.follow(follow);
balanceScreen.follow(() => parts ?? build());
