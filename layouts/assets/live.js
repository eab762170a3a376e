/* The texts that are live in the page: those that declare a figure of the account, of a symbol's prices or of
 * a row, and how long ago something was.
 */
import { onArrival } from "./arrivals.js";

// a figure of many letters is written smaller; as in layouts/live.py
const LENGTHS = [
  [13, "short"],
  [17, "long"],
  [Infinity, "longest"],
];
const TONES = { "+": "gain", "-": "loss" };
const UNITS = [
  [86400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];
// a command stands between backticks
const COMMAND = /`([^`]+)`/;

let account = null; // the snapshot that is shown
const rows = {}; // of each kind, by their keys
const followers = []; // of rows

/* The colour of a figure, by its sign. */
export const tone = (text) => TONES[text?.[0]] ?? "flat";

/* The rows of `kind`, by their keys. */
export const rowsOf = (kind) => rows[kind] ?? new Map();

/* The row that `name` names, such as bots/trend-1. */
export function rowOf(name) {
  const [kind] = name.split("/", 1);
  return rows[kind]?.get(name.slice(kind.length + 1));
}

// the texts that a live element shows one of
function texts({ symbol, of }) {
  const owner = of !== undefined ? rowOf(of) : symbol !== undefined ? account?.market.prices[symbol] : account;
  return owner?.display;
}

// shows the figure that a live element declares; what did not change is not touched
function feedOne(element) {
  const text = texts(element.dataset)?.[element.dataset.live];
  if (text === undefined) {
    return false;
  }
  if (element instanceof HTMLTimeElement) {
    const isOther = element.dateTime !== text;
    element.dateTime = text;
    isOther && writeMoment(element);
    return isOther;
  }
  const isOther = element.textContent !== text;
  if (isOther) {
    element.textContent = text;
    // of a long text that is cut off
    element.hasAttribute("title") && (element.title = text);
  }
  mark(element, "tone", tone(text));
  mark(element, "length", LENGTHS.find(([most]) => text.length <= most)[1]);
  return isOther;
}

// an attribute that is set costs the styles of the page, also where it is what it was
function mark(element, name, value) {
  if (element.dataset[name] !== value) {
    element.dataset[name] = value;
  }
}

/* Feeds every live element in `within`, of the account from `snapshot`: those that changed. */
export function feed(within, snapshot = account) {
  account = snapshot;
  return Array.from(within.querySelectorAll("[data-live]")).filter(feedOne);
}

/* Has the live elements of the rows of `kind` show them: those that changed. Each has its key at `key`. */
export function provide(kind, list, key = "id") {
  rows[kind] = new Map(list.map((row) => [row[key], row]));
  followers.forEach((follow) => follow(kind));
  return Array.from(document.querySelectorAll(`[data-of^="${kind}/"]`)).filter(feedOne);
}

/* Has `follow` called with their kind when rows have come. */
export function followRows(follow) {
  followers.push(follow);
}

/* Writes `text` into `element`; a strip that is read out must not be touched while it says the same. */
export function write(element, text) {
  if (element !== null && element.textContent !== text) {
    element.textContent = text;
  }
}

/* The parts of a message, its commands as code. */
export function marked(message) {
  return message.split(COMMAND).map((part, place) => {
    const isCommand = place % 2 === 1;
    return isCommand ? Object.assign(document.createElement("code"), { textContent: part }) : part;
  });
}

/* Writes a message with its commands as code; `write` says when nothing is touched. */
export function explain(element, message) {
  if (element !== null && element.textContent !== message.split(COMMAND).join("")) {
    element.replaceChildren(...marked(message));
  }
}

/* The time of day of an ISO time. */
export const clock = (iso) => (iso ? `${iso.slice(11, 19)} UTC` : "before");

/* A time of `ms` in its largest unit, or its two largest. */
export function age(ms, count = 1) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const begin = UNITS.findIndex(([size]) => seconds >= size);
  const parts = UNITS.map(([size, unit], at) => [Math.floor((at ? seconds % UNITS[at - 1][0] : seconds) / size), unit]);
  const shown = parts.slice(begin, begin + count).filter(([number]) => number > 0);
  return shown.map((part) => part.join(" ")).join(" ") || "0 s";
}

// a replay has a time of its own: what it brought about is so old by its newest price
function nowFor(symbol) {
  const market = symbol && account?.market;
  const newest = market?.feed.startsWith("replay") ? market.prices[symbol]?.time : undefined;
  return newest === undefined ? Date.now() : Date.parse(newest);
}

// writes how long ago the time of `element` is, or how long it has lasted since
function writeMoment(element) {
  const { dateTime: iso, dataset } = element;
  const ms = nowFor(dataset.market) - Date.parse(iso);
  const text = iso && (dataset.form === "lasted" ? age(ms, 2) : `${age(ms)} ago`);
  if (element.textContent !== text) {
    element.textContent = text;
    element.title = iso && `${iso.slice(0, 10)} ${clock(iso)}`;
  }
}

setInterval(() => document.querySelectorAll("time.moment").forEach(writeMoment), 1000);
onArrival("time.moment", writeMoment);
onArrival("[data-live]", feedOne);
