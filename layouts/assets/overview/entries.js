/* The newest entries of the ledger, each a link to all that there is to say of it. */
import { balanceAddress } from "../address.js";
import { balanceParts } from "../parts.js";
import { balanceRefresh } from "./refresh.js";

const { make, moment } = balanceParts;

const { ask, keepFresh } = balanceRefresh;

const NEWEST = 9;
const PAUSES = { afterCommit: 100, afterFault: 4000 };

const place = () => document.getElementById("overview-ledger");

function cell(className, ...children) {
  return make("td", { class: className }, ...children);
}

function row({ place: at, time, note, display }) {
  const href = balanceAddress.at(`/history?entry=${encodeURIComponent(at)}`);
  const amount = cell("number pnl-figure", display.amount);
  amount.dataset.tone = display.tone;
  return make(
    "tr",
    {},
    cell("when", moment(time)),
    cell("what", make("a", { href }, display.kind)),
    make("td", { class: "note", title: note }, note),
    amount,
    cell("number after", display.balance),
  );
}

const HEADS = [
  ["When", ""],
  ["What", ""],
  ["Note", "note"],
  ["Amount", "number"],
  ["Balance after", "number after"],
];

function table(rows) {
  const heads = HEADS.map(([words, name]) => make("th", { scope: "col", class: name }, words));
  return make(
    "table",
    { class: "ledger" },
    make("thead", {}, make("tr", {}, ...heads)),
    make("tbody", {}, ...rows.map(row)),
  );
}

function show(rows) {
  // who stands on an entry stands on it still when a newer one comes
  const href = document.activeElement?.closest("#overview-ledger a")?.getAttribute("href");
  place().replaceChildren(table(rows));
  href && place().querySelector(`a[href="${href}"]`)?.focus();
}

async function read(_, isWanted) {
  const [answer, wrong] = await ask(`/history/ledger?limit=${NEWEST}`);
  if (isWanted() && answer !== null) {
    show(answer.rows);
  } else if (isWanted() && place().querySelector("table") === null) {
    place().replaceChildren(balanceParts.problem(wrong));
  }
  return answer !== null;
}

keepFresh(read, PAUSES);
