/* One entry of the ledger, whole: what it moved, who made it, and what became of position and orders. */
import { balanceAddress } from "../address.js";
import { balanceState } from "../balance.js";
import { page } from "../page.js";
import { balanceParts } from "../parts.js";
import { balanceHistoryColumns } from "./columns.js";
import { balanceHistoryRequests } from "./requests.js";
import { balanceHistoryScreen } from "./screen.js";
import { balanceHistory } from "./view.js";

const { make, button, moment, tone, dialog } = balanceParts;
const { PATH, href, queryOf, parse, listOf, over } = balanceHistory;
const { exactMoment, entryHref } = balanceHistoryColumns;
const { ask } = balanceHistoryRequests;
const { go } = balanceAddress;

const COPIED_MS = 2000;
// the fields of a fill, a trade, a position and an order that are shown, with their labels
const FILL = {
  ...{ side: "Side", why: "Type", quantity: "Quantity", price: "Price" },
  ...{ fee: "Fee", liquidity: "Liquidity", realized_pnl: "Realised P&L" },
};
const TRADE = {
  ...{ side: "Side", quantity: "Quantity", entry_price: "Entry price" },
  ...{ exit_price: "Exit price", duration: "Held", pnl: "P&L", fees: "Fees", funding: "Funding" },
  ...{ opened_because: "Why opened", closed_because: "Why closed" },
};
const POSITION = {
  ...{ side_words: "Side", quantity: "Quantity", entry_price: "Entry price", isolated_margin: "Margin" },
  ...{ liquidation_price: "Liquidation price", exits: "Take-profit / stop-loss" },
};
const SIGNED = new Set(["pnl", "realized_pnl", "funding"]);

let made = null;
let shown = null; // the place of the entry
let loaded = null; // the answer about it
let latest = 0; // the number of the newest request
let checked = null; // the revision at which its later neighbour was requested

const part = (name) => made.querySelector(`[data-part="${name}"]`);

function moveTo(place) {
  const view = { ...parse(location.search), entry: place };
  go(href(view), { replace: true, state: history.state ?? {} });
}

// the entry is a part of the address: what closes it takes it out there
function closed() {
  shown = null;
  const view = parse(location.search);
  if (location.pathname !== PATH || view.entry === null) {
    return;
  }
  history.state?.isOpened ? history.back() : go(href(listOf(view)), { replace: true });
}

async function copy() {
  const link = `${location.origin}${entryHref(shown)}`;
  const words = part("copied");
  try {
    await navigator.clipboard.writeText(link);
    words.textContent = "Copied.";
  } catch {
    // only this machine's own pages may use the clipboard: the link is shown, to be copied by hand
    words.textContent = link;
    getSelection().selectAllChildren(words);
    return;
  }
  setTimeout(() => (words.textContent = ""), COPIED_MS);
}

function build() {
  const act = (name, words, icon, onclick) => button(words, icon, { "data-part": name, onclick });
  made = dialog("entry-dialog", {
    title: "Entry",
    body: [make("div", { "data-part": "body", class: "entry-body" })],
    foot: [
      make("span", { "data-part": "copied", class: "entry-copied", role: "status" }),
      act("before", "Earlier", "chevron-left", () => moveTo(loaded.before)),
      act("after", "Later", "chevron-right", () => moveTo(loaded.after)),
      act("copy", "Copy link", "link-45deg", copy),
      act("show", "Show in the ledger", "list-ul", () =>
        balanceHistoryScreen.showInLedger(shown, loaded.offset),
      ),
    ],
  });
  made.addEventListener("close", closed);
}

function term(words, ...value) {
  return [make("dt", {}, words), make("dd", {}, ...value)];
}

function figures(names, display) {
  const lines = Object.entries(names).filter(([name]) => (display[name] ?? "") !== "");
  const terms = lines.flatMap(([name, words]) => {
    const text = display[name];
    const attributes = SIGNED.has(name) ? { class: "pnl-figure", "data-tone": tone(text) } : {};
    return term(words, make("span", attributes, text));
  });
  return make("dl", { class: "entry-figures" }, ...terms);
}

function section(title, ...children) {
  return make("section", {}, make("h3", { class: "snippet-title" }, title), ...children);
}

const above = (what, words) => make("a", { href: over(what) }, words);
const link = (query, words) => make("a", { href: `${PATH}?${queryOf(query)}` }, words);

function summary(row) {
  const { display } = row;
  const moved = row.amount === 0 ? "No money" : display.amount;
  const amount = make("span", { class: "pnl-figure", "data-tone": display.tone }, moved);
  const time = make("span", {}, exactMoment(row.time), " (", moment(row.time), ")");
  const commit = { after: row.revision - 1, until: row.revision };
  return make(
    "dl",
    { class: "entry-figures" },
    ...term("What it moved", amount),
    ...term("Wallet balance after it", display.balance),
    ...term("When", time),
    ...term("Asked for by", display.source),
    ...(row.symbol ? term("Symbol", row.symbol) : []),
    ...(row.owner === null ? [] : term("Whose", display.owner)),
    ...term("Epoch", link({ epoch: row.epoch }, String(row.epoch))),
    ...term("Revision", link(commit, String(row.revision)), `, line ${row.line}`),
  );
}

function orderWords({ display }) {
  const [limit, trigger] = [display.price, display.trigger_price].map((each) => (each === "–" ? "" : each ?? ""));
  const type = display.type.charAt(0).toLowerCase() + display.type.slice(1);
  const what = `${display.side} ${display.quantity} ${display.symbol}, ${type}`;
  if (limit) {
    return `${what} at ${limit}${trigger && `, triggered at ${trigger}`}`;
  }
  // a trailing stop that does not follow the price yet says from where on it does
  return what + (trigger.startsWith("from") ? `, ${trigger} on` : trigger && ` at ${trigger}`);
}

/* An order that an entry is about, with what it is or why it ended. */
function orderItem(id, order, why = "") {
  const words = order ? orderWords(order) : why;
  return make("li", {}, above({ order: id }, id), words ? `: ${words}` : "");
}

function effectParts({ symbol, position, opened, closed, why, arrived }, fill) {
  const open = new Set(opened.map((each) => each.id));
  const ended = closed.filter((id) => !open.has(id) && id !== fill?.order_id);
  const none = make("p", { class: "dialog-words" }, `None is open in ${symbol}.`);
  const list = (...items) => make("ul", { class: "dialog-list" }, ...items);
  return [
    ...(fill ? [section("The order that it filled", list(orderItem(fill.order_id, arrived)))] : []),
    section("The position after it", position ? figures(POSITION, position.display) : none),
    ...(opened.length ? [section("Orders that it placed", list(...opened.map((each) => orderItem(each.id, each))))] : []),
    ...(ended.length ? [section("Orders that it ended", list(...ended.map((id) => orderItem(id, null, why))))] : []),
  ];
}

function bodyOf(row) {
  const { fill, trade, effect } = row;
  return [
    ...(row.note ? [make("p", { class: "entry-note" }, row.note)] : []),
    summary(row),
    ...(fill ? [section("The fill", figures(FILL, fill.display))] : []),
    ...(trade ? [section("The trade that it ended", figures(TRADE, trade.display))] : []),
    ...(effect ? effectParts(effect, fill) : []),
  ];
}

function fill(title, body) {
  made.querySelector(".modal-title").textContent = title;
  part("body").replaceChildren(...body);
  part("before").disabled = !loaded?.before;
  part("after").disabled = !loaded?.after;
  part("show").disabled = loaded === null || loaded.offset === null;
  part("copied").textContent = "";
}

async function read(place) {
  const number = ++latest;
  const [answer, words] = await ask(`/history/entries/${encodeURIComponent(place)}`);
  if (number !== latest || shown !== place) {
    return;
  }
  loaded = answer;
  if (answer !== null) {
    fill(`${answer.entry.display.kind}, entry ${place}`, bodyOf(answer.entry));
    return;
  }
  const problem = words ?? "The server does not answer. Try again when it is back.";
  fill(`Entry ${place}`, [balanceParts.problem(problem)]);
}

/* Opens the entry at `place`, or shows it in the dialog that is open. */
function open(place) {
  made ?? build();
  if (shown !== place) {
    shown = place;
    made.open || ((loaded = null), fill(`Entry ${place}`, [make("div", { class: "entry-loading" })]));
    read(place);
  }
  made.open || made.showModal();
}

function close() {
  made?.open && made.close();
}

// the newest entry has a later one as soon as something happens
balanceState.follow(({ revision }) => {
  if (made?.open && loaded?.after === null && revision > loaded.entry.revision && revision !== checked) {
    checked = revision;
    read(shown);
  }
});

export const balanceEntry = { open, close, term, figures, section, above };
page.balanceEntry = balanceEntry;
