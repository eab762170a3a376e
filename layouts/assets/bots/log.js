/* The activity panel: what the bots decided, and their trades. It is fetched while the tab is shown,
 * and only when something happened or another filter was chosen.
 */
import { balanceParts } from "../parts.js";
import { balanceRequests } from "../requests.js";
import { balanceSettings } from "../settings/settings.js";
import { balanceTables } from "../tables.js";
import { balanceBots } from "./feed.js";
import { balanceListing } from "./listing.js";

const { make, moment, choice, select, arrange } = balanceParts;

const PAGE = 100;
const MOST_TRADES = 500;
const PAUSE_MS = 1000;
const GONE = "The server does not answer. This follows when it is back.";
const KINDS = [
  ["action", "Actions"],
  ["", "Everything"],
  ["trade", "Trades"],
  ["ignored", "Ignored"],
  ["error", "Errors"],
  ["state", "State"],
];
const EMPTY = {
  decisions: [
    "bi-journal-text",
    "Nothing yet",
    "What a running bot decides at each closed candle is listed here, with its reason and what it did.",
  ],
  trades: [
    "bi-receipt",
    "No trades yet",
    "Each position that a bot opened and closed is listed here, with what it made and why.",
  ],
};

const place = (id) => document.getElementById(id);

let view = "decisions";
let filters = { bot: "", kind: "action" };
let latest = 0; // the number of the newest request, whose answer alone counts
let readAt = 0;
let timer = null;
let version = null; // of the bots and their figures, when it was last read
let rows = []; // what is shown, newest first
let next = null; // where the older ones begin
let problem = "";

const isFiltered = () => filters.bot !== "" || (view === "decisions" && filters.kind !== "action");

function empty() {
  return balanceTables.emptyState(
    isFiltered() ? ["bi-search", "Nothing of that kind", "Nothing fits these filters."] : EMPTY[view],
  );
}

function draw() {
  const list = place("auto-activity-list");
  if (problem) {
    list.replaceChildren(balanceParts.problem(problem));
  } else if (rows.length === 0) {
    list.replaceChildren(empty());
  } else if (view === "trades") {
    list.replaceChildren(balanceListing.trades(rows, { when: moment, owner: true }));
  } else {
    showDecisions(list);
  }
  place("auto-activity-pager").hidden = next === null || problem !== "";
}

// rows that are there stay, so that what was opened to be read stays open
function showDecisions(list) {
  const { decisions, decision } = balanceListing;
  if (list.querySelector(".decisions") === null) {
    list.replaceChildren(decisions());
  }
  const body = list.querySelector("tbody");
  const known = new Map([...body.children].map((row) => [row.dataset.entry, row]));
  arrange(
    body,
    rows.map((entry) => known.get(String(entry.id)) ?? decision(entry)),
  );
}

function path(before, limit) {
  const query = new URLSearchParams({ limit });
  filters.bot && query.set("bot", filters.bot);
  if (view === "trades") {
    return `/bots/trades?${query}`;
  }
  filters.kind && query.set("kind", filters.kind);
  before && query.set("before", before);
  return `/bots/log?${query}`;
}

// puts the newest page before the older ones that were fetched; without a gap
function joined(entries, more) {
  const oldest = entries.at(-1)?.id;
  const rest = rows.findIndex(({ id }) => id < oldest);
  const meets = rows.some(({ id }) => id === oldest);
  if (!meets || rest < 0) {
    next = more;
    return entries;
  }
  return [...entries, ...rows.slice(rest)];
}

function take({ entries, trades: list, next: more }, before, limit) {
  if (view === "trades") {
    rows = list;
    next = list.length === limit && limit < MOST_TRADES ? "more" : null;
  } else if (before) {
    rows = [...rows, ...entries];
    next = more;
  } else {
    rows = joined(entries, more);
  }
}

/* Reads the newest page, or what is before `before`. */
async function read(before = null, limit = PAGE) {
  const number = ++latest;
  readAt = Date.now();
  const [answer, wrong, status] = await balanceRequests.fetchJson(path(before, limit));
  if (status === null) {
    // what is there stays, and it is read again with what comes next
    version = null;
  }
  if (number !== latest || (status === null && rows.length > 0)) {
    return;
  }
  problem = status === null ? GONE : wrong;
  answer && take(answer, before, limit);
  draw();
}

function renew() {
  [rows, next, problem] = [[], null, ""];
  place("auto-activity-list").replaceChildren();
  read();
}

function build() {
  const bot = select("auto-activity-bot", [["", "All bots"]], { "aria-label": "Bot" });
  const kind = select("auto-activity-kind", KINDS, { "aria-label": "Kind" });
  for (const each of [bot, kind]) {
    each.classList.add("form-select-sm");
  }
  const views = [
    ["decisions", "Decisions"],
    ["trades", "Trades"],
  ];
  const chooseView = (name) => {
    view = name;
    kind.hidden = name === "trades";
    renew();
  };
  place("auto-activity-filters").append(
    choice("auto-activity-view", "What is listed", views, chooseView),
    bot,
    kind,
  );
  bot.addEventListener("change", () => ((filters.bot = bot.value), renew()));
  kind.addEventListener("change", () => ((filters.kind = kind.value), renew()));
}

// the bots that can be chosen; one that is gone can't
function offer(bots) {
  const picker = place("auto-activity-bot");
  const options = [["", "All bots"], ...bots.map(({ id, name }) => [id, name])];
  if (picker.dataset.offered !== JSON.stringify(options)) {
    picker.dataset.offered = JSON.stringify(options);
    picker.replaceChildren(...options.map(([value, words]) => make("option", { value }, words)));
    picker.value = bots.some(({ id }) => id === filters.bot) ? filters.bot : "";
    filters.bot = picker.value;
  }
}

// at most once a second, however often something happens
function readSoon() {
  const wait = PAUSE_MS - (Date.now() - readAt);
  clearTimeout(timer);
  timer = setTimeout(readAgain, Math.max(0, wait));
}

function readAgain() {
  if (!balanceBots.isShown()) {
    version = null; // it is read when the tab is come back to
    return;
  }
  read(null, view === "trades" && rows.length > PAGE ? MOST_TRADES : PAGE);
}

function follow(state) {
  if (state === null) {
    return;
  }
  place("auto-activity-view") ?? build();
  offer(state.bots);
  // the same trades are written another way with other decimals
  const newest = `${state.version}.${balanceSettings.get("decimals")}`;
  if (newest !== version) {
    version = newest;
    readSoon();
  }
}

document.addEventListener("click", ({ target }) => {
  if (target.closest("#auto-activity-older")) {
    view === "trades" ? read(null, MOST_TRADES) : read(next);
  }
});
balanceBots.follow(follow);
