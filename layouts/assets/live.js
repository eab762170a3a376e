/* What is live in the page: the texts that declare a figure of the account, of a symbol's prices or of a
 * row, and what is said of the link on every tab.
 */
import { onArrival } from "./arrivals.js";
import { snapshot } from "./balance.js";
import { clock, writeMoment } from "./screen.js";

const PILL_WORDS = {
  live: "Live",
  polling: "Polling",
  "no-prices": "No prices",
  unreadable: "Unreadable",
  offline: "Offline",
};
// a figure of many letters is written smaller; as in layouts/live.py
const LENGTHS = [
  [13, "short"],
  [17, "long"],
  [Infinity, "longest"],
];
const TONES = { "+": "gain", "-": "loss" };

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
  const owner = of !== undefined ? rowOf(of) : symbol !== undefined ? snapshot?.market.prices[symbol] : snapshot;
  return owner?.display;
}

// shows the figure that a live element declares; what did not change is not touched
function feedOne(element) {
  const text = texts(element.dataset)?.[element.dataset.live];
  const isTime = element instanceof HTMLTimeElement;
  if (text === undefined || (isTime ? element.dateTime : element.textContent) === text) {
    return false;
  }
  if (isTime) {
    element.dateTime = text;
    writeMoment(element);
    return true;
  }
  element.textContent = text;
  // of a long text that is cut off
  element.hasAttribute("title") && (element.title = text);
  mark(element, "tone", tone(text));
  mark(element, "length", LENGTHS.find(([most]) => text.length <= most)[1]);
  return true;
}

// an attribute that is set costs the styles of the page, also where it is what it was
function mark(element, name, value) {
  if (element.dataset[name] !== value) {
    element.dataset[name] = value;
  }
}

/* Feeds every live element in `within`: those that changed. */
export function feed(within) {
  return Array.from(within.querySelectorAll("[data-live]")).filter(feedOne);
}

/* Has the live elements of the rows of `kind` show them: those that changed. `rowsByKey` is a Map. */
export function provide(kind, rowsByKey) {
  rows[kind] = rowsByKey;
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

// a command stands between backticks
const COMMAND = /`([^`]+)`/;

/* The parts of a message, its commands as code. */
export function marked(message) {
  return message.split(COMMAND).map((part, place) => {
    if (place % 2 === 0) {
      return part;
    }
    const code = document.createElement("code");
    code.textContent = part;
    return code;
  });
}

/* Writes a message with its commands as code; `write` says when nothing is touched. */
export function explain(element, message) {
  const parts = marked(message);
  if (parts.length === 1) {
    write(element, message);
  } else if (element !== null && element.textContent !== message.split(COMMAND).join("")) {
    element.replaceChildren(...parts);
  }
}

const hasPrices = () => Object.values(snapshot?.market.prices ?? {}).some((each) => each.state === "live");

/* What the pill says: the worst of the link, the account and the feed. */
function pill(link, fault) {
  if (link === "offline") {
    return link;
  }
  return fault ? "unreadable" : hasPrices() ? link : "no-prices";
}

/* What the pill, the strips and the title say. */
export function showLink({ state, at }, fault) {
  const place = (id) => document.getElementById(id);
  const note =
    state === "offline"
      ? `The server does not answer. These figures are from ${clock(at)}; ` +
        "they follow by themselves when it is back."
      : "";
  const worst = pill(state, fault);
  write(place("link-state"), PILL_WORDS[worst]);
  write(place("link-note"), note);
  explain(place("fault-note"), fault ?? "");
  place("link-pill").dataset.link = worst;
  place("app-shell").dataset.link = fault ? "fault" : state;
  switchOff(state === "offline");
  const balance = snapshot?.display.balance;
  document.title = balance ? `${balance} · Virtual Balance` : "Virtual Balance";
}

const NEEDS_SERVER = "fieldset.needs-server";
/* Whether the server does not answer, and what needs it is disabled. */
export let isOff = false;
let used = null; // what had the focus then, which the browser takes from it

/* Disables what needs the server while it is gone; what was being typed goes on when it is back. */
function switchOff(isOffline) {
  if (isOff === isOffline) {
    return;
  }
  isOff = isOffline;
  const { activeElement } = document;
  document.querySelectorAll(NEEDS_SERVER).forEach((each) => (each.disabled = isOff));
  if (isOff) {
    used = activeElement?.closest(NEEDS_SERVER) ? activeElement : null;
  } else if (activeElement === document.body || activeElement?.matches(".modal")) {
    used?.focus({ preventScroll: true });
  }
}

onArrival("[data-live]", feedOne);
onArrival(NEEDS_SERVER, (fieldset) => (fieldset.disabled = isOff));
