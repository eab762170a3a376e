/* What History shows, as the address says it: the list, its filters, its order and what is open over it. */
import { at } from "../address.js";

export const PATH = at("/history");
const MOST_COMPARED = 4;
const MOMENTS = ["from", "to"];

export const START = Object.freeze({ table: "ledger", filters: {}, sort: "", entry: null, order: null, compare: [] });

let names = null;

// by list: the names of its filters, in the order of an address
function filterNames(table) {
  names ??= JSON.parse(document.getElementById("history-search").dataset.names);
  return names[table];
}

/* A moment of an address in UTC, as all moments are shown; what is none stays as it is. */
function inUtc(text) {
  // an address writes a space as "+"
  const moment = text.replace(/ (\d\d:?\d\d)$/, "+$1");
  if (!/T.*[+-]\d\d:?\d\d$/.test(moment) || Number.isNaN(Date.parse(moment))) {
    return text;
  }
  return new Date(moment).toISOString().replace(".000Z", "Z");
}

function filtersOf(query, table) {
  // a name that is there again has more values
  const values = filterNames(table).map((name) => [name, query.getAll(name).filter(Boolean).join(",")]);
  const given = values.filter(([, value]) => value);
  return Object.fromEntries(given.map(([name, value]) => [name, MOMENTS.includes(name) ? inUtc(value) : value]));
}

function epochsOf(text) {
  const found = (text ?? "").split(",").map(Number);
  return [...new Set(found)].filter((each) => Number.isInteger(each) && each > 0).slice(0, MOST_COMPARED);
}

/* The view that the query of an address says. */
export function parse(search) {
  const query = new URLSearchParams(search);
  const table = filterNames(query.get("table")) ? query.get("table") : START.table;
  return {
    table,
    filters: filtersOf(query, table),
    sort: query.get("sort") ?? "",
    entry: query.get("entry") || null,
    order: query.get("order") || null,
    compare: table === "epochs" ? epochsOf(query.get("compare")) : [],
  };
}

/* The members of a query as a person would write them; those that are empty are left out. */
export function queryOf(members) {
  const query = new URLSearchParams(Object.entries(members).filter(([, value]) => value)).toString();
  return query.replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");
}

/* The address of a view. */
export function href({ table, filters, sort, entry, order, compare }) {
  const known = Object.fromEntries(filterNames(table).map((name) => [name, filters[name]]));
  const list = { table: table === START.table ? "" : table, ...known, sort };
  const query = queryOf({ ...list, compare: compare.join(","), entry, order });
  return query ? `${PATH}?${query}` : PATH;
}

export const same = (one, other) => href(one) === href(other);
/* The list that a view shows: all but the entry or the order that is open over it. */
export const listOf = (view) => ({ ...view, entry: null, order: null });
/* The rows that a view lists: all but what is open over them or stands above. */
export const rowsOf = (view) => ({ ...listOf(view), compare: START.compare });
