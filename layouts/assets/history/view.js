/* What History shows: the table, its filters, its order and what is open over it, as the address
 * says it.
 */
import { balanceAddress } from "../address.js";

const PATH = balanceAddress.at("/history");
const TABLES = ["ledger", "fills", "trades", "orders", "epochs"];
const MOST_COMPARED = 4;
// what means the same in every table
const SHARED = ["symbol", "owner", "epoch", "from", "to", "text", "after", "until"];
const MOMENTS = ["from", "to"];

const START = Object.freeze({
  table: "ledger",
  filters: Object.freeze({}),
  sort: "",
  entry: null,
  order: null,
  compare: Object.freeze([]),
});

let given = null;

/* The filters of a table, as the server has them: their names, their fields, and what is searched. */
function tableFilters(table) {
  given ??= JSON.parse(document.getElementById("history-filters").dataset.filters);
  return given[table];
}

function fitting(filters, table) {
  const known = tableFilters(table).names.filter((name) => filters[name]);
  return Object.fromEntries(known.map((name) => [name, filters[name]]));
}

function numbers(text) {
  const found = (text ?? "").split(",").map(Number);
  return [...new Set(found)].filter((each) => Number.isInteger(each) && each > 0);
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

// a name that is there again has more values
function valuesOf(query) {
  const pairs = [...new Set(query.keys())].map((name) => [name, query.getAll(name).join(",")]);
  return Object.fromEntries(
    pairs.map(([name, value]) => [name, MOMENTS.includes(name) ? inUtc(value) : value]),
  );
}

/* The view that the query of an address says. */
function parse(search) {
  const query = new URLSearchParams(search);
  const table = TABLES.includes(query.get("table")) ? query.get("table") : START.table;
  return {
    table,
    filters: fitting(valuesOf(query), table),
    sort: query.get("sort") ?? "",
    entry: query.get("entry") || null,
    order: query.get("order") || null,
    compare: table === "epochs" ? numbers(query.get("compare")).slice(0, MOST_COMPARED) : [],
  };
}

function queryOf(members) {
  const query = new URLSearchParams(members).toString();
  // as a person would write them
  return query.replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");
}

/* The address of a view. */
function href({ table, filters, sort, entry, order, compare }) {
  const query = queryOf({
    ...(table !== START.table && { table }),
    ...fitting(filters, table),
    ...(sort && { sort }),
    ...(compare.length && { compare: compare.join(",") }),
    ...(entry && { entry }),
    ...(order && { order }),
  });
  return query ? `${PATH}?${query}` : PATH;
}

/* Another table, with the filters that mean the same in it. */
function turned(view, table) {
  const shared = Object.entries(view.filters).filter(([name]) => SHARED.includes(name));
  return { ...START, table, filters: fitting(Object.fromEntries(shared), table) };
}

const same = (one, other) => href(one) === href(other);
/* The list that a view shows: all but the entry or the order that is open over it. */
const listOf = (view) => ({ ...view, entry: null, order: null });
/* The address of an entry or an order, open over the list that is shown. */
const over = (what) => href({ ...listOf(parse(location.search)), ...what });
/* The rows that a view lists: all but what is open over them or stands above. */
const rowsOf = (view) => ({ ...listOf(view), compare: START.compare });

export const balanceHistory = {
  PATH,
  TABLES,
  START,
  MOST_COMPARED,
  tableFilters,
  parse,
  href,
  queryOf,
  turned,
  same,
  listOf,
  over,
  rowsOf,
};
