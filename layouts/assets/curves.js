/* Curves over time: every `curve` and `spark` of the layout is drawn here with Lightweight Charts. That
 * counts points along its axis, so a point stands at a numbered place, and places may be without one. */
import { at } from "./address.js";
import { onArrival } from "./arrivals.js";
import { followAccount, snapshot } from "./balance.js";
import { fetched, register } from "./clientside.js";
import { follow } from "./details.js";
import { followRows, rowOf, tone, write } from "./live.js";
import { COMPACT, dollars } from "./money.js";
import { make } from "./parts.js";
import { setting } from "./settings/settings.js";

const DRAW_MS = 1000; // the newest point follows the account at most so often
const MOST_EMPTY = 2000; // places between the last point and a newer one
const MOST_ROWS = 24;
const FLAG_WIDTH = 26; // flags that would lie on each other are one
const MOST_LINES = 5; // of what is said of one
const DASHED = 2;
const DAY = 2; // a mark on the axis where a day begins
const CLEAR = "transparent";
const TONES = { gain: "pnl", loss: "loss", flat: "muted" };
// how many points on a key goes
const BACK = { ArrowLeft: -1, ArrowDown: -1, PageDown: -20, Home: -Infinity };
const KEYS = { ...BACK, ArrowRight: 1, ArrowUp: 1, PageUp: 20, End: Infinity };
const SHADE = "1f"; // of 255

const curves = new Map(); // by the elements that they are drawn in
let growing = null;
let building = Promise.resolve(); // one chart a frame, as each takes some 5 ms

/* Lightweight Charts, which comes when something is first drawn with it; fails where it does not come. */
export async function library() {
  window.LightweightCharts ?? (await fetched("./lightweight-charts.js"));
  return window.LightweightCharts;
}

/* A colour of the theme, by its name. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function coloursOf({ colors, shades }, color) {
  const shade = color === CLEAR ? color : `${color}${SHADE}`;
  return Object.fromEntries([...colors.map((name) => [name, color]), ...shades.map((name) => [name, shade])]);
}

/* What a chart looks like in the theme of now. */
export function appearance() {
  const line = { color: colour("line") };
  return {
    layout: {
      background: { color: CLEAR },
      textColor: colour("muted"),
      fontFamily: getComputedStyle(document.body).fontFamily,
      panes: { separatorColor: line.color },
    },
    grid: { vertLines: line, horzLines: line },
    rightPriceScale: { borderColor: line.color },
    timeScale: { borderColor: line.color },
    localization: { locale: "en-GB" },
  };
}

/* The theme is followed at once: `paint` is called when it changes. */
export function followTheme(paint) {
  new MutationObserver(paint).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
}

/* How many decimals numbers have that are `step` apart. */
export function decimalsOf(step) {
  const text = Number(step.toPrecision(6)).toLocaleString("en-US", { maximumFractionDigits: 20 });
  return text.split(".")[1]?.length ?? 0;
}

function axisMoney(value, step) {
  const decimals = decimalsOf(step);
  return dollars(value, "", step >= 1e6 ? COMPACT : decimals && Math.max(2, decimals));
}

// by the unit of a line: how a value is written, and how one on an axis is whose values are `step` apart
const UNITS = {
  money: [(value) => dollars(value), axisMoney],
  gain: [(value) => dollars(value, "+"), axisMoney],
  percent: [
    (value) => `${(Math.round(value * 100) / 100 || 0).toFixed(2)}%`,
    (value, step) => `${value.toFixed(decimalsOf(step))}%`,
  ],
};

/* A moment in full: "2 Nov 2026 14:03:05 UTC". */
const moment = (time) => `${new Date(time).toUTCString().slice(5, -4).replace(/^0/, "")} UTC`;

// what begins with a day has its date; the chart writes all others
const timeTick = (seconds, kind) => (kind === DAY ? moment(seconds * 1000).split(" ", 2).join(" ") : null);

// the points as they are read; null is a gap
function entriesOf({ start, step, times, places, ...points }, lines) {
  return points[lines[0].name].map((value, at) => {
    const values = Object.fromEntries(lines.map(({ name }) => [name, points[name]?.[at] ?? null]));
    return value === null ? null : { time: times?.[at] ?? start + at * step, place: places?.[at] ?? at, values };
  });
}

// the time by which the chart knows a place
const timeAt = ({ start, step }, place) => (start + place * step) / 1000;

// all places of a line up to its last point; what leads into a gap is not seen
function rowsOf(curve, line) {
  const { points, entries } = curve;
  const rows = Array.from({ length: lastOf(curve).place + 1 }, (_, place) => ({ time: timeAt(points, place) }));
  entries.forEach((entry, at) => {
    if (entry !== null && entry.values[line.name] !== null) {
      const clear = entries[at + 1] === null && coloursOf(line, CLEAR);
      Object.assign(rows[entry.place], { value: entry.values[line.name] }, clear);
    }
  });
  return rows;
}

const readable = ({ entries }) => entries.filter(Boolean);
const lastOf = ({ entries }) => entries.findLast(Boolean);

function texts({ lines }, { time, values, texts: own = {} }) {
  const written = ({ name, unit }) => own[name] ?? (values[name] === null ? "–" : UNITS[unit][0](values[name]));
  return { time: moment(time), ...Object.fromEntries(lines.map((line) => [line.name, written(line)])) };
}

// shows what is read now, or else the newest point
function read(curve) {
  const { root, plot, lines, points, chart, series, readAt } = curve;
  const all = readable(curve);
  const entry = all.find(({ time }) => time >= readAt) ?? all.at(-1);
  const text = texts(curve, entry);
  for (const value of root.querySelectorAll(".readout dd")) {
    write(value, text[value.dataset.field]);
    value.dataset.tone = tone(value.textContent);
  }
  chart.setCrosshairPosition(entry.values[lines[0].name], timeAt(points, entry.place), series[0].drawn);
  curve.at = all.indexOf(entry);
  const slider = plot.querySelector(".slider");
  slider.setAttribute("aria-valuemax", all.length - 1);
  slider.setAttribute("aria-valuenow", curve.at);
  const figures = lines.map(({ name, spoken }) => `${spoken} ${text[name]}`);
  slider.setAttribute("aria-valuetext", `${text.time}: ${figures.join(", ")}`);
}

// goes to a point by its number, or to the newest and along with it
function go(curve, at) {
  const all = readable(curve);
  curve.readAt = all[Math.max(0, at)]?.time ?? Infinity;
  read(curve);
}

function listen(curve) {
  const slider = curve.plot.querySelector(".slider");
  const point = ({ offsetX }) => {
    const place = curve.chart.timeScale().coordinateToLogical(offsetX);
    const far = readable(curve).map((each) => Math.abs(each.place - place));
    go(curve, far.indexOf(Math.min(...far)));
  };
  const leave = () => go(curve, Infinity);
  const press = (event) => {
    const step = KEYS[event.key];
    step && event.preventDefault();
    step ? go(curve, curve.at + step) : event.key === "Escape" && leave();
  };
  const listeners = { pointermove: point, pointerdown: point, pointerleave: leave, blur: leave, keydown: press };
  Object.entries(listeners).forEach(([name, listener]) => slider.addEventListener(name, listener));
}

// a thinned table of the same points
function tabulate(curve) {
  const all = readable(curve);
  const every = Math.max(1, Math.ceil(all.length / MOST_ROWS));
  const chosen = all.filter((_, at) => (all.length - 1 - at) % every === 0).reverse();
  const rows = chosen.map((entry) => {
    const [time, ...figures] = Object.values(texts(curve, entry));
    const cells = figures.map((text) => make("td", { class: "number" }, text));
    return make("tr", {}, make("th", { scope: "row" }, time), ...cells);
  });
  curve.root.querySelector("tbody").replaceChildren(...rows);
}

// the one flag of several `marks`
function flagOf(marks) {
  const titles = marks.slice(0, MOST_LINES).map(({ title }) => title);
  const more = marks.length > MOST_LINES ? [`and ${marks.length - MOST_LINES} more`] : [];
  const [from, to] = [marks[0], marks.at(-1)].map(({ time }) => new Date(time).toISOString());
  const kind = [...new Set(marks.map((each) => each.kind))].join(",");
  return {
    key: marks.map(({ key }) => key).join(" "),
    kind: "several",
    letter: String(marks.length),
    title: [`${marks.length} entries:`, ...titles, ...more].join("\n"),
    href: `/history?${new URLSearchParams({ table: "ledger", kind, from, to })}`,
  };
}

// flags for the marks on the foot of the upper drawing
function flag({ plot, chart, points }) {
  const row = plot.querySelector(".flags");
  const scale = chart.timeScale();
  const groups = [];
  for (const mark of (points.marks ?? []).filter(({ time }) => time >= points.start)) {
    const x = scale.logicalToCoordinate(Math.round((mark.time - points.start) / points.step));
    x - groups.at(-1)?.x < FLAG_WIDTH ? groups.at(-1).marks.push(mark) : groups.push({ x, marks: [mark] });
  }
  const there = new Map([...row.children].map((each) => [each.dataset.key, each]));
  const elements = groups.map(({ x, marks }) => {
    const { key, kind, letter, title, href } = marks.length === 1 ? marks[0] : flagOf(marks);
    const named = { class: "flag", "data-key": key, "data-kind": kind, title, "aria-label": title };
    const element = there.get(key) ?? make("a", { ...named, href: at(href) }, make("span", {}, letter));
    element.style.left = `${Math.min(Math.max(x, FLAG_WIDTH / 2), scale.width()).toFixed(1)}px`;
    return element;
  });
  row.style.top = `${chart.panes()[0].getHeight() - FLAG_WIDTH}px`;
  plot.querySelector(".slider").style.width = `${scale.width()}px`;
  there.forEach((each) => elements.includes(each) || each.remove());
  // what stands right is not touched, so keeps the focus
  elements.forEach((each, at) => row.children[at] === each || row.insertBefore(each, row.children[at]));
}

// a chart that was taken away still tells of its last size
const flagSoon = (curve) => requestAnimationFrame(() => curve.plot.isConnected && flag(curve));

function addLine(curve, charts, line) {
  const { kind, pane } = line;
  const [write, tick] = UNITS[line.unit];
  const stepOf = ([first, second = first + 0.01]) => Math.abs(second - first);
  const ticks = (values) => values.map((value) => tick(value, stepOf(values)));
  const drawn = curve.chart.addSeries(charts[kind], {
    priceFormat: { type: "custom", minMove: 1e-8, formatter: write, tickmarksFormatter: ticks },
    lineWidth: pane ? 1 : 1.5,
    priceLineVisible: false,
    lastValueVisible: false,
    crosshairMarkerVisible: pane === 0,
  }, pane);
  drawn.priceScale().applyOptions({ scaleMargins: { top: pane ? 0.2 : 0.06, bottom: 0.06 } });
  return { ...line, drawn };
}

function build(curve, charts) {
  const { level, lines, options, plot, small } = curve;
  curve.chart = charts.createChart(plot.querySelector(".curve-chart") ?? plot, options);
  curve.chart.timeScale().applyOptions({ tickMarkFormatter: timeTick });
  curve.series = lines.filter(({ kind }) => kind).map((line) => addLine(curve, charts, line));
  if (level) {
    const base = { price: 0, lineWidth: 1, lineStyle: DASHED, axisLabelVisible: false };
    curve.base = curve.series[0].drawn.createPriceLine(base);
  }
  if (!small) {
    curve.chart.panes()[1]?.setStretchFactor(0.22);
    curve.chart.timeScale().subscribeSizeChange(() => flagSoon(curve));
    listen(curve);
  }
}

function paint({ chart, series, base, points, small }) {
  chart.applyOptions(appearance());
  for (const line of series) {
    line.drawn.applyOptions(coloursOf(line, colour(small ? TONES[points.tone] : line.color)));
  }
  base?.applyOptions({ color: colour("line") });
}

function draw(curve) {
  const { chart, series, small } = curve;
  series.forEach((line) => line.drawn.setData(rowsOf(curve, line)));
  chart.timeScale().fitContent();
  if (!small) {
    read(curve);
    flagSoon(curve);
  }
}

async function show(curve) {
  const { plot, lines, small } = curve;
  if (!curve.isStale || !curve.isSeen) {
    return;
  }
  const charts = await library().catch(() => null);
  if (small && curve.chart === null) {
    building = building.then(() => new Promise(requestAnimationFrame));
    await building;
  }
  if (charts === null || !curve.isStale || !plot.isConnected) {
    return;
  }
  curve.isStale = false;
  curve.chart === null && build(curve, charts);
  curve.base?.applyOptions({ price: curve.entries.find(Boolean).values[lines[0].name] });
  paint(curve);
  draw(curve);
  plot.dataset.points = curve.entries.length;
  if (!small) {
    tabulate(curve);
    grow(curve);
  }
}

// a new point, where prices have moved the account since the others
function grow(curve) {
  const { ahead, chart, entries, isSeen, lines, points, revision } = curve;
  const live = lines.filter((line) => snapshot?.[line.live] != null);
  const last = lastOf(curve);
  if (chart === null || !isSeen || live.length === 0 || last === undefined) {
    return;
  }
  const time = Date.now() + ahead;
  const place = Math.max(last.place, Math.floor((time - points.start) / points.step));
  // others are due soon where more has changed, or nothing for long
  if (revision !== snapshot.revision || place - last.place > MOST_EMPTY) {
    return;
  }
  const values = { ...last.values, ...Object.fromEntries(live.map((line) => [line.name, snapshot[line.live]])) };
  if (last.texts && values[lines[0].name] === last.values[lines[0].name]) {
    return;
  }
  for (const { name, falls_with: by } of lines.filter((line) => line.falls_with)) {
    const growth = last.values[by] > 0 ? values[by] / last.values[by] : 1;
    values[name] = Math.min(0, (100 + last.values[name]) * growth - 100);
  }
  const texts = Object.fromEntries(live.map((line) => [line.name, snapshot.display[line.live]]));
  entries.push({ time, place, values, texts });
  draw(curve);
}

const observer = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes.filter(({ target }) => curves.has(target))) {
    const curve = curves.get(target);
    curve.isSeen = isIntersecting;
    show(curve);
  }
  follow(); // whose points are due
});

function curveIn(plot) {
  if (!curves.has(plot)) {
    const nothing = { points: null, entries: [], chart: null, readAt: Infinity };
    curves.set(plot, { ...JSON.parse(plot.dataset.curve), ...nothing, plot, root: plot.parentElement });
    observer.observe(plot);
  }
  return curves.get(plot);
}

function forgetGone() {
  for (const { plot, chart } of [...curves.values()].filter((each) => !each.plot.isConnected)) {
    chart?.remove();
    observer.unobserve(plot);
    curves.delete(plot);
  }
}

function take(curve, points) {
  const { lines, plot, small } = curve;
  const entries = entriesOf(points, lines);
  const isShort = entries.length < 2;
  const ahead = entries.findLast(Boolean)?.time - Date.now(); // as the server's clock is
  plot.classList.toggle("is-empty", isShort);
  isShort || delete plot.dataset.again;
  small && Object.assign(plot, { title: points.label, ariaLabel: points.label });
  Object.assign(curve, { points, entries, ahead, revision: snapshot?.revision, isStale: !isShort });
  show(curve);
}

/* Draws `points` in the plot with the `id`, once it is seen. */
export function drawCurve(points, { curve: name, type }) {
  const curve = curveIn(document.getElementById(JSON.stringify({ curve: name, type })));
  points && take(curve, points);
  return window.dash_clientside.no_update;
}

// the P&L of a row after each of its trades
function drawRow(curve) {
  const row = rowOf(curve.plot.dataset.of);
  const seen = String(row?.curve);
  if (row && curve.seen !== seen) {
    curve.seen = seen;
    const values = [0, ...row.curve];
    const ended = ["loss", "flat", "gain"][Math.sign(values.at(-1)) + 1];
    take(curve, { start: 0, step: 1000, values, label: row.display.curve, tone: ended });
  }
}

function drawRows() {
  forgetGone();
  document.querySelectorAll(".spark[data-of]").forEach((plot) => drawRow(curveIn(plot)));
}

onArrival(".spark[data-of]", (plot) => drawRow(curveIn(plot)));
followRows(drawRows);
drawRows();
followAccount(() => {
  growing ??= setTimeout(() => {
    growing = null;
    // the library may not have come
    curves.forEach((curve) => (curve.isStale ? show(curve) : grow(curve)));
  }, DRAW_MS);
});
followTheme(() => curves.forEach((curve) => curve.chart && paint(curve)));
register({ drawCurve });
