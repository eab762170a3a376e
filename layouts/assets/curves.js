/* Curves over time: every `curve` and `spark` of the layout is drawn here with Lightweight Charts. That
 * counts points along its axis, so a point stands at a numbered place, and places may be without one. */
import { balanceAddress } from "./address.js";
import { balanceState } from "./balance.js";
import { fetched, register } from "./clientside.js";
import { balanceLive } from "./live.js";
import { COMPACT, dollars } from "./money.js";
import { balanceParts } from "./parts.js";
import { balanceSettings } from "./settings/settings.js";

const { make, arrange } = balanceParts;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DRAW_MS = 1000; // the newest point follows the account at most so often
const YOUNG_MS = 3000; // points are due again so soon while there are less than two,
const UNANSWERED_MS = 10_000; // where none came,
const CHANGED = 0.1; // and after a change in this part of the time between refreshs
const MOST_EMPTY = 2000; // places between the last point and a newer one
const MOST_ROWS = 24;
const PAGE = 20;
const CLEAR = "transparent";
const DASHED = 2;
const TONES = { gain: "--pnl", loss: "--loss", flat: "--muted" };
// by the key of the keyboard: where it goes from a point among so many
const KEYS = {
  ArrowLeft: (at) => at - 1,
  ArrowRight: (at) => at + 1,
  ArrowDown: (at) => at - 1,
  ArrowUp: (at) => at + 1,
  PageDown: (at) => at - PAGE,
  PageUp: (at) => at + PAGE,
  Home: () => 0,
  End: (at, count) => count - 1,
};
const area = (line, top, bottom = top) => ({ lineColor: line, topColor: top, bottomColor: bottom });
const depth = (line, fill) => ({ bottomLineColor: line, bottomFillColor1: fill, bottomFillColor2: fill, topLineColor: line });
// by the style of a line: its kind of series, the pane that it is in, and its colours
const STYLES = {
  line: ["LineSeries", 0, (color) => ({ color })],
  area: ["AreaSeries", 0, (color) => area(color, color === CLEAR ? color : `${color}1a`)],
  depth: ["BaselineSeries", 1, (color) => depth(color, color === CLEAR ? color : `${color}24`)],
};

const curves = new Map(); // by the elements that they are drawn in
let coming = null;

/* Lightweight Charts, which comes when something is first drawn with it; fails where it does not come. */
export async function library() {
  coming ??= fetched("./lightweight-charts.js").catch((fault) => {
    coming = null;
    throw fault;
  });
  await coming;
  return window.LightweightCharts;
}

/* A colour of the theme, by the name of its variable. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/* What a chart looks like in the theme of now. */
export function appearance() {
  const line = { color: colour("--line") };
  return {
    layout: {
      background: { type: "solid", color: colour("--surface") },
      textColor: colour("--muted"),
      fontFamily: getComputedStyle(document.body).fontFamily,
      fontSize: 12,
      panes: { separatorColor: line.color, enableResize: false },
    },
    grid: { vertLines: line, horzLines: line },
    rightPriceScale: { borderColor: line.color },
    timeScale: { borderColor: line.color },
    localization: { locale: "en-GB" },
  };
}

const percent = (value) => `${(Math.round(value * 100) / 100 || 0).toFixed(2)}%`;
// by the unit of a line: how a value is written, and how those of an axis are that are `step` apart
const UNITS = {
  money: [(value) => dollars(value), (value, step) => dollars(value, "", tickDecimals(step))],
  gain: [(value) => dollars(value, "+"), (value, step) => dollars(value, "+", tickDecimals(step))],
  percent: [percent, (value, step) => `${value.toFixed(Math.min(decimalsOf(step), 2))}%`],
};

function decimalsOf(step) {
  const isWhole = (number) => Math.abs(number - Math.round(number)) < 1e-6 * number;
  return [0, 1, 2, 3, 4, 5, 6, 7].find((count) => isWhole(step * 10 ** count)) ?? 8;
}

function tickDecimals(step) {
  const decimals = decimalsOf(step);
  return step >= 1e6 ? COMPACT : decimals && Math.max(2, decimals);
}

function writeTicks(values, unit) {
  const step = values.length > 1 ? Math.abs(values[1] - values[0]) : 0.01;
  return values.map((value) => UNITS[unit][1](value, step));
}

/* A moment in full: "22 Nov 2026 14:03:05 UTC". */
function moment(time) {
  const date = new Date(time);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()} ${date.toISOString().slice(11, 19)} UTC`;
}

// `kind` is the place of what changes there: the year, the month, the day, the time, with seconds
function timeTick(time, kind) {
  const date = new Date(time * 1000);
  const month = MONTHS[date.getUTCMonth()];
  const clock = date.toISOString().slice(11, kind === 4 ? 19 : 16);
  return [String(date.getUTCFullYear()), month, `${date.getUTCDate()} ${month}`, clock, clock][kind];
}

const isDrawn = ({ style }) => style !== "none";

// the points as they are read: null stands for a gap
function entriesOf(points, lines) {
  const { start, step, times, places } = points;
  return points[lines[0].name].map((value, at) => {
    const values = Object.fromEntries(lines.map(({ name }) => [name, points[name]?.[at] ?? null]));
    return value === null ? null : { time: times?.[at] ?? start + at * step, place: places?.[at] ?? at, values };
  });
}

const timeAt = ({ start, step }, place) => (start + place * step) / 1000;

// what the chart is given of a line: all places up to the last, and no line from before a gap to after it
function rowsOf({ points, entries }, { name, style }) {
  const count = (entries.findLast(Boolean)?.place ?? -1) + 1;
  const rows = Array.from({ length: count }, (_, place) => ({ time: timeAt(points, place) }));
  const clear = STYLES[style][2](CLEAR);
  entries.forEach((entry, at) => {
    if (entry !== null && entry.values[name] !== null) {
      Object.assign(rows[entry.place], { value: entry.values[name] }, entries[at + 1] === null && clear);
    }
  });
  return rows;
}

// the points that can be read: the newest stands in the place of the last one where the account has moved
const readable = ({ entries, newest }) => [...entries.filter(Boolean), ...(newest === null ? [] : [newest])];

function texts({ lines }, { time, values, texts: own = {} }) {
  const written = lines.map(({ name, unit }) => {
    return [name, own[name] ?? (values[name] === null ? "–" : UNITS[unit][0](values[name]))];
  });
  return { time: moment(time), ...Object.fromEntries(written) };
}

function sentence({ lines }, text) {
  return `${text.time}: ${lines.map(({ name, label }) => `${label.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())} ${text[name]}`).join(", ")}`;
}

// what is read now, or else the newest point, in the figures above and for those who don't see the curve
function read(curve) {
  const { root, plot, chart, series, readAt } = curve;
  const all = readable(curve);
  const found = readAt === null ? -1 : all.findIndex(({ time }) => time >= readAt);
  const entry = all.at(found);
  const text = texts(curve, entry);
  for (const value of root.querySelectorAll(".readout dd")) {
    balanceLive.write(value, text[value.dataset.field]);
    value.dataset.tone = balanceLive.tone(value.textContent);
  }
  curve.at = found === -1 ? null : found;
  const [line, first] = series[0];
  curve.at === null
    ? chart.clearCrosshairPosition()
    : chart.setCrosshairPosition(entry.values[line.name], timeAt(curve.points, entry.place), first);
  const slider = plot.querySelector(".slider");
  slider.setAttribute("aria-valuemax", all.length - 1);
  slider.setAttribute("aria-valuenow", found === -1 ? all.length - 1 : found);
  slider.setAttribute("aria-valuetext", sentence(curve, text));
}

function go(curve, at) {
  const all = readable(curve);
  curve.readAt = at === null ? null : all[Math.max(0, Math.min(all.length - 1, at))].time;
  read(curve);
}

function listen(curve) {
  const { plot, chart } = curve;
  const slider = plot.querySelector(".slider");
  const point = ({ offsetX }) => {
    const place = chart.timeScale().coordinateToLogical(offsetX);
    const far = readable(curve).map((each) => Math.abs(each.place - place));
    go(curve, far.indexOf(Math.min(...far)));
  };
  slider.addEventListener("pointermove", point);
  slider.addEventListener("pointerdown", point);
  slider.addEventListener("pointerleave", () => go(curve, null));
  slider.addEventListener("blur", () => go(curve, null));
  slider.addEventListener("keydown", (event) => {
    const count = readable(curve).length;
    if (event.key === "Escape") {
      go(curve, null);
    } else if (event.key in KEYS) {
      event.preventDefault();
      go(curve, KEYS[event.key](curve.at ?? count - 1, count));
    }
  });
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
  const head = [{ label: "Time" }, ...lines].map(({ label }, at) => make("th", { scope: "col", class: at ? "number" : "" }, label));
  const body = chosen.map((entry) => {
    const text = texts(curve, entry);
    const cells = lines.map(({ name }) => make("td", { class: "number" }, text[name]));
    return make("tr", {}, make("th", { scope: "row" }, text.time), ...cells);
  });
  const table = make("table", { class: "ledger" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body));
  root.querySelector(".rows").replaceChildren(table);
}

// flags that would lie on each other are one
const FLAG_WIDTH = 26;

function flagOf(group) {
  const [{ key, kind, letter, text, href }] = group;
  const words = group.map((each) => `${each.text}, ${moment(each.time)}`);
  if (group.length === 1) {
    return { key, kind, letter, title: `${text}, ${moment(group[0].time)}`, href };
  }
  const kinds = [...new Set(group.map((each) => each.kind))].join(",");
  const [from, to] = [group[0], group.at(-1)].map(({ time }) => new Date(time).toISOString());
  const more = group.length > 5 ? [`and ${group.length - 5} more`] : [];
  const query = new URLSearchParams({ table: "ledger", kind: kinds, from, to });
  return {
    key: group.map((each) => each.key).join(" "),
    kind: "several",
    letter: String(group.length),
    title: [`${group.length} entries:`, ...words.slice(0, 5), ...more].join("\n"),
    href: balanceAddress.at(`/history?${query}`),
  };
}

// the marks stand on the foot of the upper drawing; those that stay keep the focus
function flag({ plot, chart, points }) {
  const row = plot.querySelector(".flags");
  const x = (time) => chart.timeScale().logicalToCoordinate(Math.round((time - points.start) / points.step));
  const groups = [];
  for (const mark of (points.marks ?? []).filter(({ time }) => time >= points.start)) {
    const at = x(mark.time);
    const last = groups.at(-1);
    last && at - last[0] < FLAG_WIDTH ? last[1].push(mark) : groups.push([at, [mark]]);
  }
  const there = new Map([...row.children].map((each) => [each.dataset.key, each]));
  const elements = groups.map(([at, group]) => {
    const { key, kind, letter, title, href } = flagOf(group);
    const attributes = { class: "flag", "data-key": key, "data-kind": kind, href, title, "aria-label": title };
    const element = there.get(key) ?? make("a", attributes, make("span", {}, letter));
    element.style.left = `${Math.min(Math.max(at, FLAG_WIDTH / 2), chart.timeScale().width()).toFixed(1)}px`;
    return element;
  });
  row.style.top = `${chart.panes()[0].getHeight() - FLAG_WIDTH}px`;
  plot.querySelector(".slider").style.width = `${chart.timeScale().width()}px`;
  arrange(row, elements);
}

function build(curve, charts) {
  const { plot, lines, isSmall } = curve;
  const isSeen = !isSmall;
  const options = {
    autoSize: true,
    handleScroll: false,
    handleScale: false,
    layout: { attributionLogo: isSeen },
    rightPriceScale: { visible: isSeen, borderVisible: false },
    timeScale: {
      visible: isSeen,
      borderVisible: false,
      timeVisible: true,
      minBarSpacing: 0.001,
      lockVisibleTimeRangeOnResize: true,
      allowBoldLabels: false,
      tickMarkFormatter: timeTick,
    },
    crosshair: { vertLine: { visible: isSeen, labelVisible: false }, horzLine: { visible: false, labelVisible: false } },
  };
  curve.chart = charts.createChart(isSmall ? plot : plot.querySelector(".curve-chart"), options);
  curve.series = lines.filter(isDrawn).map((line, at) => {
    const [kind, pane] = STYLES[line.style];
    const priceFormat = {
      type: "custom",
      minMove: 1e-8,
      formatter: (value) => UNITS[line.unit][0](value),
      tickmarksFormatter: (values) => writeTicks(values, line.unit),
    };
    const plain = { priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: isSeen && pane === 0 };
    const width = pane === 0 ? 1.5 : 1;
    const made = curve.chart.addSeries(charts[kind], { ...plain, priceFormat, lineWidth: width }, pane);
    return [line, made, at];
  });
  curve.level = curve.hasLevel ? curve.series[0][1].createPriceLine({ price: 0, lineWidth: 1, lineStyle: DASHED, axisLabelVisible: false }) : null;
  curve.marker = isSmall ? null : charts.createSeriesMarkers(curve.series[0][1], []);
  if (isSeen) {
    curve.chart.panes()[1]?.setStretchFactor(0.22);
    listen(curve);
    curve.chart.timeScale().subscribeSizeChange(() => requestAnimationFrame(() => flag(curve)));
  }
}

function paint({ chart, series, level, marker, points, isSmall }) {
  const look = appearance();
  const none = { color: CLEAR };
  chart.applyOptions(isSmall ? { ...look, layout: { ...look.layout, background: none }, grid: { vertLines: none, horzLines: none } } : { ...look, grid: { ...look.grid, vertLines: none } });
  for (const [{ style, color }, made] of series) {
    made.applyOptions(STYLES[style][2](colour(isSmall ? TONES[points.tone] : `--${color}`)));
  }
  level?.applyOptions({ color: colour("--line") });
  marker && dot({ series, marker });
}

// the newest point of the first line
function dot({ series: [[{ color }, made]], marker }) {
  const { time } = made.data().findLast(({ value }) => value !== undefined);
  marker.setMarkers([{ time, position: "inBar", shape: "circle", size: 0.1, color: colour(`--${color}`) }]);
}

async function show(curve) {
  const { root, plot, isSmall } = curve;
  isSmall || plot.classList.toggle("is-empty", curve.points !== null && curve.entries.length < 2);
  if (!curve.isStale || !curve.isSeen || curve.entries.length < 2) {
    return;
  }
  const charts = await library().catch(() => null);
  if (charts === null || !curve.isStale || !plot.isConnected) {
    return;
  }
  curve.isStale = false;
  curve.chart === null && build(curve, charts);
  curve.newest = null;
  for (const [line, made] of curve.series) {
    made.setData(rowsOf(curve, line));
  }
  const [{ name }] = curve.lines;
  curve.level?.applyOptions({ price: curve.entries.find(Boolean).values[name] });
  paint(curve);
  curve.chart.timeScale().fitContent();
  plot.dataset.points = curve.entries.length;
  if (isSmall) {
    plot.title = curve.points.label;
    plot.setAttribute("aria-label", curve.points.label);
    return;
  }
  balanceState.snapshot && grow(curve, balanceState.snapshot);
  requestAnimationFrame(() => flag(curve));
  read(curve);
  tabulate(curve);
}

// the newest point, where prices have moved the account since the server gave the others
function grow(curve, snapshot) {
  const { points, entries, lines, series, chart } = curve;
  curve.grownAt = Date.now();
  const last = entries.findLast(Boolean);
  if (points.revision !== snapshot.revision || !lines.some(({ live }) => live)) {
    return;
  }
  // by the server's clock
  const time = last.time + (Date.now() - curve.receivedAt);
  const values = { ...last.values };
  lines.filter(({ live }) => live && snapshot[live] !== null).forEach(({ name, live }) => (values[name] = snapshot[live]));
  for (const { name, falls_with: by } of lines.filter((line) => line.falls_with)) {
    const growth = last.values[by] > 0 ? values[by] / last.values[by] : 1;
    values[name] = Math.min(0, (100 + last.values[name]) * growth - 100);
  }
  const own = lines.filter(({ live }) => live && snapshot[live] !== null).map(({ name, live }) => [name, snapshot.display[live]]);
  const before = curve.newest ?? last;
  const place = Math.max(before.place, Math.floor((time - points.start) / points.step));
  const hasMoved = JSON.stringify(values) !== JSON.stringify(before.values);
  if (hasMoved && place - before.place > MOST_EMPTY) {
    ask(curve, snapshot);
    return;
  }
  curve.newest = { time, place: hasMoved ? place : before.place, values, texts: Object.fromEntries(own) };
  if (hasMoved) {
    for (const [{ name }, made] of series) {
      for (let empty = before.place + 1; empty < place; empty += 1) {
        made.update({ time: timeAt(points, empty) });
      }
      made.update({ time: timeAt(points, place), value: values[name] });
    }
    chart.timeScale().fitContent();
    dot(curve);
  }
  read(curve);
}

const versionOf = ({ account, epoch }) => `${account}.${epoch}.${balanceSettings.get("decimals")}`;

// when points are due, in ms from now
function wait({ asked, answered, refresh, entries }, snapshot) {
  const pause = refresh * 1000;
  if (asked === null || asked.version !== versionOf(snapshot)) {
    return 0;
  }
  const since = Date.now() - asked.at;
  if (asked.revision !== snapshot.revision) {
    return pause * CHANGED - since;
  }
  if (asked.equity !== snapshot.portfolio_value) {
    return pause - since;
  }
  const isOpen = answered !== asked ? UNANSWERED_MS : entries.length < 2 ? YOUNG_MS : Infinity;
  return isOpen - since;
}

function ask(curve, snapshot) {
  const { revision, portfolio_value: equity } = snapshot;
  curve.asked = { version: versionOf(snapshot), revision, equity, at: Date.now() };
  const { curve: id } = JSON.parse(curve.plot.id);
  window.dash_clientside.set_props({ curve: id, type: "curve-due" }, { data: curve.asked.at });
}

function keepFresh(curve) {
  const { snapshot } = balanceState;
  const isGone = document.getElementById("app-shell").dataset.link === "offline";
  clearTimeout(curve.timer);
  if (curve.refresh === null || snapshot === null || !curve.isSeen || isGone || document.hidden) {
    return;
  }
  const pause = wait(curve, snapshot);
  if (pause <= 0) {
    ask(curve, snapshot);
  } else if (pause !== Infinity) {
    curve.timer = setTimeout(() => keepFresh(curve), pause);
  }
}

function growSoon(curve) {
  const pause = Math.max(0, DRAW_MS - (Date.now() - curve.grownAt));
  curve.growing ??= setTimeout(() => {
    curve.growing = null;
    // the library may not have come
    curve.isStale && show(curve);
    curve.isSeen && curve.chart !== null && !curve.isSmall && grow(curve, balanceState.snapshot);
  }, pause);
}

function newCurve(plot) {
  const { lines, refresh, level, small } = JSON.parse(plot.dataset.curve);
  return {
    plot,
    lines,
    refresh,
    hasLevel: level,
    isSmall: small,
    root: plot.parentElement,
    points: null,
    entries: [],
    newest: null, // the point that follows the account
    at: null, // which point is read, and its time, as points come before others
    readAt: null,
    isSeen: false,
    isStale: false,
    chart: null,
    series: [],
    asked: null, // what the points were last asked for by, and what was answered
    answered: null,
    receivedAt: 0,
    grownAt: 0,
    growing: null,
    timer: null,
  };
}

const observer = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) {
    const curve = curves.get(target);
    if (curve !== undefined) {
      curve.isSeen = isIntersecting;
      keepFresh(curve);
      show(curve);
    }
  }
});

function forgetGone() {
  for (const [plot, curve] of curves) {
    if (!plot.isConnected) {
      curve.chart?.remove();
      observer.unobserve(plot);
      curves.delete(plot);
    }
  }
}

/* Draws `points` in the plot with the `id`, when it is seen. */
function drawCurve(points, id) {
  const plot = document.getElementById(JSON.stringify({ curve: id.curve, type: id.type }));
  forgetGone();
  const curve = curves.get(plot) ?? newCurve(plot);
  if (!curves.has(plot)) {
    curves.set(plot, curve);
    observer.observe(plot);
  }
  if (points) {
    const entries = entriesOf(points, curve.lines);
    Object.assign(curve, { points, entries, answered: curve.asked, receivedAt: Date.now(), isStale: true });
    show(curve);
  }
  return window.dash_clientside.no_update;
}

balanceState.follow(() => {
  for (const curve of curves.values()) {
    keepFresh(curve);
    growSoon(curve);
  }
});
document.addEventListener("visibilitychange", () => [...curves.values()].forEach(keepFresh));
new MutationObserver(() => [...curves.values()].filter(({ chart }) => chart).forEach(paint)).observe(
  document.documentElement,
  { attributeFilter: ["data-bs-theme"] },
);
register({ drawCurve });
