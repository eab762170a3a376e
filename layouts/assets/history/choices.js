/* The filters of History in words: what may be chosen, and how a choice reads. */
import { balanceHistory } from "./view.js";

const { tableFilters } = balanceHistory;

const seen = { symbol: new Set(), owner: new Map([["you", "You"]]) };

const fieldsOf = (table) => tableFilters(table).fields;
const textOf = (table) => tableFilters(table).text;

/* Remembers whose rows were seen, and in what, so that it can be chosen. */
function learn(rows) {
  for (const { symbol, owner, bot, name } of rows) {
    symbol && seen.symbol.add(symbol);
    const whose = owner ?? bot;
    whose && whose !== "you" && seen.owner.set(whose, name || whose);
  }
}

function learnOwners(owners) {
  owners.forEach(({ id, name }) => seen.owner.set(id ?? name, name));
}

/* What may be chosen of a field: values and words. */
function options({ name, choices }, chosen = "") {
  const known = name === "owner" ? Object.fromEntries(seen.owner) : choices;
  const more = name === "symbol" ? [...seen.symbol] : [];
  const listed = [...more, ...chosen.split(",").filter(Boolean)].map((each) => [each, each]);
  return Object.entries({ ...Object.fromEntries(listed), ...known });
}

const moment = (iso) => iso.replace("T", " ").replace(/(:00)?(\.\d+)?Z?$/, "");
// a minute that is listed to its end is written without its seconds
const endMoment = (iso) => moment(iso.replace(/:59\.999Z$/, ":00Z"));

const SENTENCES = {
  epoch: (value) => `Epoch ${value}`,
  from: (value) => `From ${moment(value)} UTC`,
  to: (value) => `To ${endMoment(value)} UTC`,
  text: (value, table) => `${textOf(table)} has “${value}”`,
  after: (value) => `After revision ${value}`,
  until: (value) => `Up to revision ${value}`,
};

/* How a filter that is set reads. */
function sentence(name, value, table) {
  if (name in SENTENCES) {
    return SENTENCES[name](value, table);
  }
  const field = fieldsOf(table).find(({ filters }) => filters.includes(name));
  if (field.manner === "amounts") {
    return `${field.label} ${name === field.filters[0] ? "from" : "to"} ${value}`;
  }
  const words = Object.fromEntries(options(field));
  const named = value.split(",").map((each) => words[each] ?? each);
  return `${field.label}: ${named.join(", ")}`;
}

export const balanceHistoryChoices = {
  fieldsOf,
  textOf,
  options,
  sentence,
  learn,
  learnOwners,
};
