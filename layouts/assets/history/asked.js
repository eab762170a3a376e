/* What History shows: the table, its filters, its order and the entry that is open, as the address
 * says it.
 */
(() => {
  "use strict";

  const PATH = "/history";
  const TABLES = ["ledger", "fills", "trades", "epochs"];
  const ANY = ["symbol", "owner", "epoch", "from", "to", "text", "after", "until"];
  // which filters a table has
  const FILTERS = {
    ledger: ["kind", "source", "least", "most", ...ANY],
    fills: ["side", "reason", "least", "most", ...ANY],
    trades: ["side", "outcome", "least", "most", ...ANY],
    epochs: [],
  };
  const MOST_COMPARED = 4;

  const START = Object.freeze({
    table: "ledger",
    filters: Object.freeze({}),
    sort: "",
    entry: null,
    compare: Object.freeze([]),
  });

  function fitting(filters, table) {
    const known = FILTERS[table].filter((name) => filters[name]);
    return Object.fromEntries(known.map((name) => [name, filters[name]]));
  }

  function numbers(text) {
    const found = (text ?? "").split(",").map(Number);
    return [...new Set(found)].filter((each) => Number.isInteger(each) && each > 0);
  }

  /* The view that the query of an address says. */
  function parse(search) {
    const query = new URLSearchParams(search);
    const table = TABLES.includes(query.get("table")) ? query.get("table") : START.table;
    return {
      table,
      filters: fitting(Object.fromEntries(query), table),
      sort: query.get("sort") ?? "",
      entry: query.get("entry") || null,
      compare: table === "epochs" ? numbers(query.get("compare")).slice(0, MOST_COMPARED) : [],
    };
  }

  function queryOf(members) {
    const query = new URLSearchParams(members).toString();
    // as a person would write them
    return query.replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");
  }

  /* The address of a view. */
  function href({ table, filters, sort, entry, compare }) {
    const query = queryOf({
      ...(table !== START.table && { table }),
      ...fitting(filters, table),
      ...(sort && { sort }),
      ...(compare.length && { compare: compare.join(",") }),
      ...(entry && { entry }),
    });
    return query ? `${PATH}?${query}` : PATH;
  }

  /* Another table, with the filters that all have. */
  function turned(view, table) {
    const shared = Object.entries(view.filters).filter(([name]) => ANY.includes(name));
    return { ...START, table, filters: fitting(Object.fromEntries(shared), table) };
  }

  const same = (one, other) => href(one) === href(other);
  /* The list that a view shows: all but the entry that is open over it. */
  const listOf = (view) => ({ ...view, entry: null });

  window.balanceHistory = {
    PATH,
    TABLES,
    FILTERS,
    START,
    MOST_COMPARED,
    parse,
    href,
    queryOf,
    turned,
    same,
    listOf,
  };
})();
