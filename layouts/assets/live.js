/* What is live in the page: the texts that declare a figure of the account or a symbol's price, and what
 * is said of the link on every tab.
 */
import { balanceState } from "./balance.js";
import { page } from "./page.js";
import { balanceScreen } from "./screen.js";

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

/* The colour of a figure, by its sign. */
const tone = (text) => TONES[text?.[0]] ?? "flat";

const known = () => balanceState?.snapshot ?? null;

// the texts that a live element shows one of: the account's, or those of a symbol's prices
function texts(symbol) {
  return symbol === undefined ? known()?.display : known()?.market.prices[symbol]?.display;
}

// shows the figure that a live element declares; what did not change is not touched
function feedOne(element) {
  const text = texts(element.dataset.symbol)?.[element.dataset.live];
  if (text === undefined || element.textContent === text) {
    return false;
  }
  element.textContent = text;
  element.dataset.tone = tone(text);
  element.dataset.length = LENGTHS.find(([most]) => text.length <= most)[1];
  return true;
}

/* Feeds every live element in `within`: those that changed. */
function feed(within) {
  return Array.from(within.querySelectorAll("[data-live]")).filter(feedOne);
}

const hasPrices = () =>
  Object.values(known()?.market.prices ?? {}).some((each) => each.state === "live");

/* What the pill says: the worst of the link, the account and the feed. */
function pill(link, fault) {
  if (link === "offline") {
    return link;
  }
  return fault ? "unreadable" : hasPrices() ? link : "no-prices";
}

/* What the pill, the strips and the title say. */
function showLink({ state, at }, fault) {
  const place = (id) => document.getElementById(id);
  const note =
    state === "offline"
      ? `The server does not answer. These figures are from ${balanceScreen.clock(at)}; ` +
        "they follow by themselves when it is back."
      : "";
  const worst = pill(state, fault);
  write(place("link-state"), PILL_WORDS[worst]);
  write(place("link-note"), note);
  explain(place("fault-note"), fault ?? "");
  place("link-pill").dataset.link = worst;
  place("app-shell").dataset.link = fault ? "fault" : state;
  const balance = known()?.display.balance;
  document.title = balance ? `${balance} · Virtual Balance` : "Virtual Balance";
}

// a command stands between backticks
const COMMAND = /`([^`]+)`/;

/* The parts of a message, its commands as code. */
function marked(words) {
  return words.split(COMMAND).map((part, at) => {
    if (at % 2 === 0) {
      return part;
    }
    const code = document.createElement("code");
    code.textContent = part;
    return code;
  });
}

/* Writes a message with its commands as code; `write` says when nothing is touched. */
function explain(element, words) {
  const parts = marked(words);
  if (parts.length === 1) {
    write(element, words);
  } else if (element !== null && element.textContent !== words.split(COMMAND).join("")) {
    element.replaceChildren(...parts);
  }
}

/* Writes `words` into `element`; a strip that is read out must not be touched while it says the same. */
function write(element, words) {
  if (element !== null && element.textContent !== words) {
    element.textContent = words;
  }
}

// a live component that comes into the page later shows its figure from its first moment
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) {
      node.querySelectorAll && feed(node);
      node.dataset?.live && feedOne(node);
    }
  }
}).observe(document.documentElement, { childList: true, subtree: true });

export const balanceLive = { feed, showLink, write, explain, marked, tone };
page.balanceLive = balanceLive;
