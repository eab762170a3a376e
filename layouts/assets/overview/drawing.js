/* The drawing of the equity: its curve over its drawdown, on one axis of time. */
import { balanceParts } from "../parts.js";
import { balanceAxes } from "./axes.js";

const { draw } = balanceParts;
const { valueTicks, timeTicks, moneyTick, percentTick } = balanceAxes;

// heights of the two drawings and of what is between and below them, in px; where the window is high, as
// high as the performance beside them
const HIGH = matchMedia("(min-width: 1101px) and (min-height: 860px)").matches ? 440 : 240;
const [GAP, LOW, FOOT] = [24, 56, 24];
document.documentElement.style.setProperty("--plot-height", `${HIGH + GAP + LOW + FOOT}px`);
const TOP = 12;
const LETTER = 7;
const TICK_ROOM = 96;

// what there is to draw: the limits of both axes, and how they turn into places
function frame(points, { from, since }, width) {
  const real = points.filter(Boolean);
  const values = real.map(({ equity }) => equity);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = (most - least) * 0.04 || Math.abs(most) * 0.001 || 1;
  const money = valueTicks(least - room, most + room);
  const fall = Math.min(...real.map(({ drawdown }) => drawdown));
  const percent = valueTicks(Math.min(fall, -0.01), 0);
  const words = [
    ...money.ticks.map((each) => moneyTick(each, money.step)),
    percentTick(percent.ticks[0], percent.step),
  ];
  const right = width - Math.max(...words.map(({ length }) => length)) * LETTER - 12;
  // of a young account only the time that it has been there
  const first = Math.max(from, since ?? from);
  const last = Math.max(real.at(-1).time, first + 1000);
  const x = (time) => ((time - first) / (last - first)) * right;
  return { money, percent, right, first, last, x, ...heights(money, percent) };
}

function heights(money, percent) {
  const [bottom, top] = [money.ticks[0], money.ticks.at(-1)];
  const deepest = percent.ticks[0];
  return {
    y: (value) => TOP + ((top - value) / (top - bottom)) * (HIGH - TOP),
    z: (value) => HIGH + GAP + (value / deepest) * LOW,
  };
}

// the stretches of points without a gap
function stretches(points) {
  const found = [[]];
  for (const point of points) {
    point === null ? found.push([]) : found.at(-1).push(point);
  }
  return found.filter(({ length }) => length > 0);
}

const place = (number) => number.toFixed(1);

// the path of a line through a stretch; a single point is a dot
function line(points, x, y) {
  const steps = points.map((each) => `${place(x(each))} ${place(y(each))}`);
  return `M${steps.join("L")}${steps.length === 1 ? "h.01" : ""}`;
}

function area(points, x, y, base) {
  const [first, last] = [points[0], points.at(-1)];
  return `${line(points, x, y)}L${place(x(last))} ${base}L${place(x(first))} ${base}Z`;
}

function grid({ money, percent, right, first, last, x, y, z }) {
  const rule = (at) => draw("line", { x1: 0, x2: right, y1: at, y2: at, class: "rule" });
  const label = (at, words) => draw("text", { x: right + 8, y: at + 4 }, words);
  const deepest = percent.ticks[0];
  const times = timeTicks(first, last, Math.max(2, Math.floor(right / TICK_ROOM)));
  return [
    ...money.ticks.flatMap((each) => [rule(y(each)), label(y(each), moneyTick(each, money.step))]),
    rule(z(0)),
    label(z(0), "0%"),
    label(z(deepest), percentTick(deepest, percent.step)),
    ...times.map(([time, words]) => timeLabel(x(time), right, words)),
  ];
}

// a label at an end of the axis stays in the drawing
function timeLabel(at, right, words) {
  const half = (words.length * LETTER) / 2;
  const anchor = at < half ? "start" : at > right - half ? "end" : "middle";
  return draw("text", { x: at, y: HIGH + GAP + LOW + FOOT - 6, "text-anchor": anchor }, words);
}

/* An empty drawing; `show` draws into it. */
function newDrawing() {
  const parts = {
    grid: draw("g", { class: "grid" }),
    fill: draw("path", { class: "fill-equity" }),
    fall: draw("path", { class: "fill-drawdown" }),
    fallen: draw("path", { class: "line-drawdown" }),
    line: draw("path", { class: "line-equity" }),
    newest: draw("circle", { class: "newest", r: 3 }),
    cross: draw("line", { class: "cross", y1: TOP, y2: HIGH + GAP + LOW, visibility: "hidden" }),
    dot: draw("circle", { class: "dot", r: 4, visibility: "hidden" }),
  };
  const height = HIGH + GAP + LOW + FOOT;
  const svg = draw("svg", { height, "aria-hidden": true }, ...Object.values(parts));
  return { svg, parts, frame: null };
}

/* Draws `points` into `drawing`, `width` px wide. */
function show(drawing, points, known, width) {
  const { svg, parts } = drawing;
  const made = frame(points, known, width);
  const [x, y, z] = [
    ({ time }) => made.x(time),
    ({ equity }) => made.y(equity),
    ({ drawdown }) => made.z(drawdown),
  ];
  const runs = stretches(points);
  const all = (path) => runs.map(path).join("");
  svg.setAttribute("width", width);
  parts.grid.replaceChildren(...grid(made));
  parts.line.setAttribute("d", all((run) => line(run, x, y)));
  parts.fill.setAttribute("d", all((run) => area(run, x, y, HIGH)));
  parts.fallen.setAttribute("d", all((run) => line(run, x, z)));
  parts.fall.setAttribute("d", all((run) => area(run, x, z, HIGH + GAP)));
  const newest = points.findLast(Boolean);
  parts.newest.setAttribute("cx", x(newest));
  parts.newest.setAttribute("cy", y(newest));
  drawing.frame = made;
}

/* Shows or, without a point, takes away the line and the dot of the point under the pointer. */
function point({ parts, frame: made }, at) {
  for (const each of [parts.cross, parts.dot]) {
    each.setAttribute("visibility", at === null ? "hidden" : "visible");
  }
  if (at !== null) {
    parts.cross.setAttribute("x1", made.x(at.time));
    parts.cross.setAttribute("x2", made.x(at.time));
    parts.dot.setAttribute("cx", made.x(at.time));
    parts.dot.setAttribute("cy", made.y(at.equity));
  }
}

export const balanceDrawing = { newDrawing, show, point };
