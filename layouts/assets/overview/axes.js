/* Axes: round ticks for money, percent and time, and how they are written. Times are UTC. */
import { balanceSettings } from "../settings/settings.js";

const ROUND = [1, 2, 2.5, 5];
const MOST_INTERVALS = 4;
const [MINUTE, HOUR, DAY] = [60e3, 3600e3, 86400e3];
const TIME_STEPS = [
  ...[1e3, 2e3, 5e3, 10e3, 15e3, 30e3],
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 4, 7, 14].map((count) => count * DAY),
];
const MONTH_STEPS = [1, 2, 3, 6, 12, 24, 60];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const two = (number) => String(number).padStart(2, "0");

function* roundSteps(least) {
  for (let power = Math.floor(Math.log10(least)) - 1; ; power += 1) {
    for (const each of ROUND) {
      yield each * 10 ** power;
    }
  }
}

/* Three to five round ticks, the first at or below `least` and the last at or above `most`. */
function valueTicks(least, most) {
  const span = most - least;
  for (const step of roundSteps(span / MOST_INTERVALS)) {
    const [first, last] = [Math.floor(least / step), Math.ceil(most / step)];
    if (last - first <= MOST_INTERVALS) {
      const count = Math.max(2, last - first);
      return { step, ticks: Array.from({ length: count + 1 }, (_, at) => (first + at) * step) };
    }
  }
}

function decimalsOf(step) {
  const found = [0, 1, 2, 3, 4, 5, 6, 7, 8].find((count) => {
    const scaled = step * 10 ** count;
    return Math.abs(scaled - Math.round(scaled)) < 1e-6 * scaled;
  });
  return found ?? 8;
}

// to make one takes longer than to write with it
const pens = new Map();
const COMPACT = "compact";

function pen(decimals) {
  if (!pens.has(decimals)) {
    const plain = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    const short = { notation: COMPACT, maximumFractionDigits: 3 };
    pens.set(decimals, new Intl.NumberFormat("en-US", decimals === COMPACT ? short : plain));
  }
  return pens.get(decimals);
}

function dollars(value, decimals, plus = "") {
  const text = pen(decimals).format(Math.abs(value));
  const sign = /[1-9]/.test(text) ? (value < 0 ? "-" : plus) : "";
  return `${sign}$${text}`;
}

/* Money on an axis: as many decimals as its step needs. */
function moneyTick(value, step) {
  const decimals = decimalsOf(step) === 0 ? 0 : Math.max(2, decimalsOf(step));
  return dollars(value, step >= 1e6 ? COMPACT : decimals);
}

// as many as all money on the screen has
const shownDecimals = () => balanceSettings?.get("decimals") ?? 2;

/* Money of a point between those that the server has written out: "$10,000.00". */
const money = (value) => dollars(value, shownDecimals());

/* A gain or a loss of such a point: "+$12.30"; a dash where it is not known. */
const gain = (value) => (value === null ? "–" : dollars(value, shownDecimals(), "+"));

function percentTick(value, step) {
  return `${value.toFixed(decimalsOf(step))}%`;
}

function monthTicks(from, to, most) {
  const [start, end] = [new Date(from), new Date(to)];
  const index = (date) => date.getUTCFullYear() * 12 + date.getUTCMonth();
  const step = MONTH_STEPS.find((each) => (index(end) - index(start)) / each <= most) ?? 120;
  const ticks = [];
  for (let at = Math.ceil(index(start) / step) * step; at <= index(end); at += step) {
    const time = Date.UTC(Math.floor(at / 12), at % 12);
    if (time >= from && time <= to) {
      ticks.push([time, at % 12 === 0 ? String(at / 12) : MONTHS[at % 12]]);
    }
  }
  return ticks;
}

function timeTick(time, step) {
  const date = new Date(time);
  if (step >= DAY || time % DAY === 0) {
    return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  }
  const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  return step < MINUTE ? `${clock}:${two(date.getUTCSeconds())}` : clock;
}

/* At most about `most` ticks at round times from `from` to `to`, in ms: [time, words] each. */
function timeTicks(from, to, most) {
  const step = TIME_STEPS.find((each) => (to - from) / each <= most);
  if (step === undefined) {
    return monthTicks(from, to, most);
  }
  const ticks = [];
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) {
    ticks.push([time, timeTick(time, step)]);
  }
  return ticks;
}

/* A moment in full: "22 Nov 2026 14:03:05 UTC". */
function moment(time) {
  const date = new Date(time);
  const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  return `${day} ${date.toISOString().slice(11, 19)} UTC`;
}

export const balanceAxes = { valueTicks, timeTicks, moneyTick, percentTick, money, gain, moment };
