/* Curves over time: every `curve` and `spark` of the layout is drawn here with Lightweight Charts. That
 * counts points along its axis, so a point stands at a numbered place, and places may be without one. */
import { at } from "./address.js";
import { onArrival } from "./arrivals.js";
import { followAccount, snapshot } from "./balance.js";
import { fetched, register } from "./clientside.js";
import { followRows, rowOf, tone, write } from "./live.js";
import { COMPACT, dollars } from "./money.js";
import { arrange, make } from "./parts.js";
import { setting } from "./settings/settings.js";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DRAW_MS = 1000; // the newest point follows the account at most so often
const YOUNG_MS = 3000; // points are due again after this while there are less than two,
const UNANSWERED_MS = 10_000; // and after this where none came
const MOST_EMPTY = 2000; // places between the last point and a newer one
const MOST_ROWS = 24;
const FLAG_WIDTH = 26; // flags that would lie on each other are one
const MOST_LINES = 5; // of what is said of one
const DASHED = 2;
const CLEAR = "transparent";
const TONES = { gain: "pnl", loss: "loss", flat: "muted" };
// how many points on a key goes
const KEYS = {
  ...{ ArrowLeft: -1, ArrowDown: -1, PageDown: -20, Home: -Infinity },
  ...{ ArrowRight: 1, ArrowUp: 1, PageUp: 20, End: Infinity },
};
// by the style of a line: its kind of series, the pane that it is in, and what has its colour, or a shade of it
const STYLES = {
  line: ["LineSeries", 0, ["color"], []],
  area: ["AreaSeries", 0, ["lineColor"], ["topColor", "bottomColor"]],
  depth: ["BaselineSeries", 1, ["topLineColor", "bottomLineColor"], ["bottomFillColor1", "bottomFillColor2"]],
};
const SHADE = "1f"; // of 255

const curves = new Map(); // by the elements that they are drawn in
let coming = null;
let building = Promise.resolve(); // one chart a frame, as each takes some 5 ms

/* Lightweight Charts, which comes when something is first drawn with it; fails where it does not come. */
export async function library() {
  coming ??= fetched("./lightweight-charts.js").catch((fault) => {
    coming = null;
    throw fault;
  });
  await coming;
  return window.LightweightCharts;
}

/* A colour of the theme, by its name. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function coloursOf(style, color) {
  const [, , lines, areas] = STYLES[style];
  const shade = color === CLEAR ? color : `${color}${SHADE}`;
  return Object.fromEntries([...lines.map((name) => [name, color]), ...areas.map((name) => [name, shade])]);
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

function decimalsOf(step) {
  const isWhole = (number) => Math.abs(number - Math.round(number)) < 1e-6 * number;
  return [0, 1, 2, 3, 4, 5, 6, 7].find((count) => isWhole(step * 10 ** count)) ?? 8;
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

function axisMoney(value, step) {
  const decimals = decimalsOf(step);
  return dollars(value, "", step >= 1e6 ? COMPACT : decimals && Math.max(2, decimals));
}

/* A moment in full: "22 Nov 2026 14:03:05 UTC". */
function moment(time) {
  const date = new Date(time);
  const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  return `${day} ${date.toISOString().slice(11, 19)} UTC`;
}

// `kind` is of what begins there: a year, a month, a day, a minute, a second
function timeTick(seconds, kind) {
  const date = new Date(seconds * 1000);
  const [month, clock] = [MONTHS[date.getUTCMonth()], date.toISOString().slice(11, kind === 4 ? 19 : 16)];
  return [`${date.getUTCFullYear()}`, month, `${date.getUTCDate()} ${month}`, clock, clock][kind];
}

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
function rowsOf({ points, entries }, { name, style }) {
  const count = entries.findLast(Boolean).place + 1;
  const rows = Array.from({ length: count }, (_, place) => ({ time: timeAt(points, place) }));
  entries.forEach((entry, at) => {
    if (entry !== null && entry.values[name] !== null) {
      const clear = entries[at + 1] === null && coloursOf(style, CLEAR);
      Object.assign(rows[entry.place], { value: entry.values[name] }, clear);
    }
  });
  return rows;
}

const readable = ({ entries, newest }) => [...entries, newest].filter(Boolean);

function texts({ lines }, { time, values, texts: own = {} }) {
  const written = ({ name, unit }) => own[name] ?? (values[name] === null ? "–" : UNITS[unit][0](values[name]));
  return { time: moment(time), ...Object.fromEntries(lines.map((line) => [line.name, written(line)])) };
}

// an abbreviation stays as it is
const inSentence = (label) => label.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());

// shows what is read now, or else the newest point
function read(curve) {
  const { root, plot, lines, points, chart, series, readAt } = curve;
  const all = readable(curve);
  const found = readAt === null ? -1 : all.findIndex(({ time }) => time >= readAt);
  const entry = all.at(found);
  const text = texts(curve, entry);
  for (const value of root.querySelectorAll(".readout dd")) {
    write(value, text[value.dataset.field]);
    value.dataset.tone = tone(value.textContent);
  }
  if (found === -1) {
    chart.clearCrosshairPosition();
  } else {
    chart.setCrosshairPosition(entry.values[lines[0].name], timeAt(points, entry.place), series[0].drawn);
  }
  curve.at = all.indexOf(entry);
  const slider = plot.querySelector(".slider");
  slider.setAttribute("aria-valuemax", all.length - 1);
  slider.setAttribute("aria-valuenow", curve.at);
  const figures = lines.map(({ name, label }) => `${inSentence(label)} ${text[name]}`);
  slider.setAttribute("aria-valuetext", `${text.time}: ${figures.join(", ")}`);
}

// goes to a point by its number; null goes back to the newest
function go(curve, at) {
  const all = readable(curve);
  curve.readAt = at === null ? null : all[Math.max(0, Math.min(all.length - 1, at))].time;
  read(curve);
}

function listen(curve) {
  const slider = curve.plot.querySelector(".slider");
  const point = ({ offsetX }) => {
    const place = curve.chart.timeScale().coordinateToLogical(offsetX);
    const far = readable(curve).map((each) => Math.abs(each.place - place));
    go(curve, far.indexOf(Math.min(...far)));
  };
  const leave = () => go(curve, null);
  const press = (event) => {
    const step = KEYS[event.key];
    step && event.preventDefault();
    step ? go(curve, curve.at + step) : event.key === "Escape" && leave();
  };
  const listeners = { pointermove: point, pointerdown: point, pointerleave: leave, blur: leave, keydown: press };
  Object.entries(listeners).forEach(([name, listener]) => slider.addEventListener(name, listener));
  curve.root.querySelector(".curve-table").addEventListener("toggle", () => tabulate(curve));
}

// a thinned table of the same points, made while it is open
function tabulate(curve) {
  const { root, lines } = curve;
  if (!root.querySelector(".curve-table").open) {
    return;
  }
  const all = readable(curve);
  const every = Math.max(1, Math.ceil(all.length / MOST_ROWS));
  const chosen = all.filter((_, at) => (all.length - 1 - at) % every === 0).reverse();
  const heads = lines.map(({ label }) => make("th", { scope: "col", class: "number" }, label));
  const body = chosen.map((entry) => {
    const { time, ...figures } = texts(curve, entry);
    const cells = Object.values(figures).map((text) => make("td", { class: "number" }, text));
    return make("tr", {}, make("th", { scope: "row" }, time), ...cells);
  });
  const head = make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Time"), ...heads));
  root.querySelector(".rows").replaceChildren(make("table", { class: "ledger" }, head, make("tbody", {}, ...body)));
}

// what one flag says of `marks`
function flagOf(marks) {
  const said = marks.map(({ text, time }) => `${text}, ${moment(time)}`);
  if (marks.length === 1) {
    return { ...marks[0], title: said[0] };
  }
  const more = marks.length > MOST_LINES ? [`and ${marks.length - MOST_LINES} more`] : [];
  const [from, to] = [marks[0], marks.at(-1)].map(({ time }) => new Date(time).toISOString());
  const kind = [...new Set(marks.map((each) => each.kind))].join(",");
  return {
    key: marks.map(({ key }) => key).join(" "),
    kind: "several",
    letter: String(marks.length),
    title: [`${marks.length} entries:`, ...said.slice(0, MOST_LINES), ...more].join("\n"),
    href: `/history?${new URLSearchParams({ table: "ledger", kind, from, to })}`,
  };
}

// flags for the marks on the foot of the upper drawing; those that stay keep the focus
function flag({ plot, chart, points }) {
  const [pane] = chart.panes();
  if (pane === undefined) {
    return; // a chart that was taken away still tells of its last size
  }
  const row = plot.querySelector(".flags");
  const scale = chart.timeScale();
  const groups = [];
  for (const mark of (points.marks ?? []).filter(({ time }) => time >= points.start)) {
    const x = scale.logicalToCoordinate(Math.round((mark.time - points.start) / points.step));
    x - groups.at(-1)?.x < FLAG_WIDTH ? groups.at(-1).marks.push(mark) : groups.push({ x, marks: [mark] });
  }
  const there = new Map([...row.children].map((each) => [each.dataset.key, each]));
  const elements = groups.map(({ x, marks }) => {
    const { key, kind, letter, title, href } = flagOf(marks);
    const named = { class: "flag", "data-key": key, "data-kind": kind, title, "aria-label": title };
    const element = there.get(key) ?? make("a", { ...named, href: at(href) }, make("span", {}, letter));
    element.style.left = `${Math.min(Math.max(x, FLAG_WIDTH / 2), scale.width()).toFixed(1)}px`;
    return element;
  });
  row.style.top = `${pane.getHeight() - FLAG_WIDTH}px`;
  plot.querySelector(".slider").style.width = `${scale.width()}px`;
  arrange(row, elements);
}

function addLine(curve, charts, line) {
  const [kind, pane] = STYLES[line.style];
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
  const { plot, lines, small, level } = curve;
  const visible = !small;
  curve.chart = charts.createChart(plot.querySelector(".curve-chart") ?? plot, {
    autoSize: true,
    handleScroll: false,
    handleScale: false,
    layout: { attributionLogo: visible, panes: { enableResize: false } },
    grid: { vertLines: { visible: false }, horzLines: { visible } },
    rightPriceScale: { visible, borderVisible: false },
    timeScale: {
      visible,
      borderVisible: false,
      timeVisible: true,
      minBarSpacing: 0.001,
      lockVisibleTimeRangeOnResize: true,
      allowBoldLabels: false,
      tickMarkFormatter: timeTick,
    },
    crosshair: { vertLine: { visible, labelVisible: false }, horzLine: { visible: false, labelVisible: false } },
  });
  curve.series = lines.filter(({ style }) => style !== "none").map((line) => addLine(curve, charts, line));
  const [{ drawn: first }] = curve.series;
  if (level) {
    curve.base = first.createPriceLine({ price: 0, lineWidth: 1, lineStyle: DASHED, axisLabelVisible: false });
  }
  if (visible) {
    curve.marker = charts.createSeriesMarkers(first, []);
    curve.chart.panes()[1]?.setStretchFactor(0.22);
    curve.chart.timeScale().subscribeSizeChange(() => requestAnimationFrame(() => flag(curve)));
    listen(curve);
  }
}

function paint(curve) {
  const { chart, series, base, points, small } = curve;
  chart.applyOptions(appearance());
  for (const { drawn, style, color } of series) {
    drawn.applyOptions(coloursOf(style, colour(small ? TONES[points.tone] : color)));
  }
  base?.applyOptions({ color: colour("line") });
  dot(curve);
}

// marks the newest point
function dot({ series: [{ drawn, color }], marker }) {
  const { time } = drawn.data().findLast(({ value }) => value !== undefined);
  marker?.setMarkers([{ time, position: "inBar", shape: "circle", size: 0.1, color: colour(color) }]);
}

async function show(curve) {
  const { plot, lines, small } = curve;
  const isShort = curve.entries.length < 2;
  plot.classList.toggle("is-empty", curve.points !== null && isShort);
  if (small && curve.points !== null) {
    plot.title = curve.points.label;
    plot.setAttribute("aria-label", curve.points.label);
  }
  if (!curve.isStale || !curve.isSeen || isShort) {
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
  curve.newest = null;
  curve.chart === null && build(curve, charts);
  const { points, entries, chart } = curve;
  curve.series.forEach((line) => line.drawn.setData(rowsOf(curve, line)));
  curve.base?.applyOptions({ price: entries.find(Boolean).values[lines[0].name] });
  paint(curve);
  chart.timeScale().fitContent();
  plot.dataset.points = entries.length;
  if (!small) {
    grow(curve);
    read(curve);
    tabulate(curve);
    requestAnimationFrame(() => flag(curve));
  }
}

// the newest point, where prices have moved the account since the server gave the others
function grow(curve) {
  const { points, entries, lines, series, chart } = curve;
  const live = lines.filter((line) => line.live && snapshot?.[line.live] != null);
  if (live.length === 0 || (curve.asked && curve.asked.revision !== snapshot.revision)) {
    return;
  }
  const last = entries.findLast(Boolean);
  const values = { ...last.values, ...Object.fromEntries(live.map((line) => [line.name, snapshot[line.live]])) };
  for (const { name, falls_with: by } of lines.filter((line) => line.falls_with)) {
    const growth = last.values[by] > 0 ? values[by] / last.values[by] : 1;
    values[name] = Math.min(0, (100 + last.values[name]) * growth - 100);
  }
  // by the server's clock
  const time = last.time + (Date.now() - curve.receivedAt);
  const before = curve.newest ?? last;
  const hasMoved = values[lines[0].name] !== before.values[lines[0].name];
  const place = hasMoved ? Math.max(before.place, Math.floor((time - points.start) / points.step)) : before.place;
  const own = Object.fromEntries(live.map((line) => [line.name, snapshot.display[line.live]]));
  if (place - before.place > MOST_EMPTY) {
    return; // others are due soon, as the account has moved
  }
  curve.newest = { time, place, values, texts: own };
  if (hasMoved) {
    for (const { drawn, name } of series) {
      for (let empty = before.place + 1; empty < place; empty += 1) {
        drawn.update({ time: timeAt(points, empty) });
      }
      drawn.update({ time: timeAt(points, place), value: values[name] });
    }
    chart.timeScale().fitContent();
    dot(curve);
    requestAnimationFrame(() => flag(curve));
  }
  read(curve);
}

// what of the account the points of a curve are of
function stateOf({ account, epoch, revision, portfolio_value: equity }) {
  return { version: `${account}.${epoch}.${setting("decimals")}`, revision, equity };
}

// how long after points were asked for they are due again, in ms
function pauseOf({ asked, answered, refresh, entries }, now) {
  if (asked?.version !== now.version) {
    return 0;
  }
  if (asked.revision !== now.revision) {
    return refresh * 100;
  }
  if (asked.equity !== now.equity) {
    return refresh * 1000;
  }
  return answered !== asked ? UNANSWERED_MS : entries.length < 2 ? YOUNG_MS : Infinity;
}

// has the callback called that gives the points, when they are due
function keepFresh(curve) {
  clearTimeout(curve.timer);
  if (document.getElementById("app-shell").dataset.link === "offline") {
    curve.asked = null; // what was under way is asked for again when the server is back
    return;
  }
  if (!curve.refresh || !curve.isSeen || document.hidden || snapshot === null) {
    return;
  }
  const now = stateOf(snapshot);
  const left = pauseOf(curve, now) - (Date.now() - (curve.asked?.at ?? 0));
  if (left === Infinity) {
    return;
  }
  if (left > 0) {
    curve.timer = setTimeout(() => keepFresh(curve), left);
    return;
  }
  curve.asked = { ...now, at: Date.now() };
  const { curve: id } = JSON.parse(curve.plot.id);
  window.dash_clientside.set_props({ curve: id, type: "curve-due" }, { data: curve.asked.at });
}

function follow(curve) {
  keepFresh(curve);
  curve.growing ??= setTimeout(() => {
    curve.growing = null;
    // the library may not have come
    curve.isStale && show(curve);
    curve.isSeen && curve.chart !== null && !curve.small && grow(curve);
  }, DRAW_MS);
}

const observer = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) {
    const curve = curves.get(target);
    if (curve) {
      curve.isSeen = isIntersecting;
      keepFresh(curve);
      show(curve);
    }
  }
});

function newCurve(plot) {
  const nothing = { points: null, entries: [], newest: null, chart: null, readAt: null, asked: null, answered: null };
  const curve = { ...JSON.parse(plot.dataset.curve), ...nothing, plot, root: plot.parentElement };
  curves.set(plot, curve);
  observer.observe(plot);
  return curve;
}

const curveIn = (plot) => curves.get(plot) ?? newCurve(plot);

function forgetGone() {
  for (const { plot, chart } of [...curves.values()].filter((each) => !each.plot.isConnected)) {
    chart?.remove();
    observer.unobserve(plot);
    curves.delete(plot);
  }
}

function take(curve, points) {
  const entries = entriesOf(points, curve.lines);
  Object.assign(curve, { points, entries, answered: curve.asked, receivedAt: Date.now(), isStale: true });
  show(curve);
}

/* Draws `points` in the plot with the `id`, once it is seen. */
export function drawCurve(points, { curve: name, type }) {
  forgetGone();
  const curve = curveIn(document.getElementById(JSON.stringify({ curve: name, type })));
  points && take(curve, points);
  return window.dash_clientside.no_update;
}

// the P&L of a row after each of its trades
function drawRow(plot) {
  const row = rowOf(plot.dataset.of);
  const curve = curveIn(plot);
  const seen = JSON.stringify(row?.curve);
  if (row && curve.seen !== seen) {
    curve.seen = seen;
    const values = [0, ...row.curve];
    const ended = ["loss", "flat", "gain"][Math.sign(values.at(-1)) + 1];
    take(curve, { start: 0, step: 1000, values, label: row.display.curve, tone: ended });
  }
}

function drawRows(selector = "") {
  forgetGone();
  document.querySelectorAll(`.spark[data-of${selector}]`).forEach(drawRow);
}

onArrival(".spark[data-of]", drawRow);
followRows((kind) => drawRows(`^="${kind}/"`));
drawRows();
followAccount(() => curves.forEach(follow));
document.addEventListener("visibilitychange", () => curves.forEach(keepFresh));
followTheme(() => curves.forEach((curve) => curve.chart && paint(curve)));
register({ drawCurve });
