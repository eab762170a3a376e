/* What stands around the rows of History: which table it is, the files, where one is in it, and what
 * is said where there are no rows.
 */
import { balanceLive } from "../live.js";
import { page } from "../page.js";
import { balanceParts } from "../parts.js";
import { balanceTables } from "../tables.js";
import { balanceHistoryTables } from "./books.js";
import { balanceHistoryFilters } from "./filters.js";
import { balanceHistoryRange } from "./range.js";
import { balanceHistoryRequests } from "./requests.js";
import { balanceHistory } from "./view.js";

const { make, button } = balanceParts;
const { TABLES: NAMES, href, turned, listOf } = balanceHistory;
const { TABLES } = balanceHistoryTables;
const { file } = balanceHistoryRequests;

const NO_ROWS = ["bi-search", "Nothing fits these filters", "Take some of them away to see more."];
const NO_ROWS_YET = [
  "bi-hourglass-split",
  "Nothing found yet",
  "The ledger is still being indexed. What fits is shown here by itself as soon as it is found.",
];

const place = (id) => document.getElementById(id);
const write = (id, words) => balanceLive.write(place(id), words);
const count = (number) => number.toLocaleString("en-US");

/* Draws what a view is: its table and its filters. */
function draw(view) {
  for (const each of NAMES) {
    const isShown = each === view.table;
    const link = place(`history-table-${each}`);
    link.setAttribute("href", href(isShown ? view : turned(view, each)));
    link.classList.toggle("active", isShown);
    isShown ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
  }
  balanceHistoryFilters.draw(view);
}

function emptyState({ table, filters }, isWhole) {
  const isFiltered = Object.keys(filters).length > 0;
  const words = isFiltered ? NO_ROWS : TABLES[table].empty;
  const state = balanceTables.emptyState(isWhole ? words : NO_ROWS_YET);
  if (isFiltered) {
    state.append(button("Clear filters", "", { onclick: () => page.balanceHistoryScreen.clear() }));
  }
  return state;
}

function problemParts(words) {
  const onclick = () => page.balanceHistoryScreen.tryAgain();
  return [
    balanceParts.problem(words),
    button("Try again", "arrow-clockwise", { id: "history-again", onclick }),
  ];
}

// draws in the place of the rows the words of a problem, or that there are none: whether it does
function drawInstead(view, { total, problem, index }) {
  const isWhole = index?.is_complete !== false;
  const what = problem || (total === 0 ? `${isWhole} ${href(listOf(view))}` : "");
  const instead = place("history-empty");
  if (instead.dataset.what !== what) {
    instead.dataset.what = what;
    instead.replaceChildren(...(problem ? problemParts(problem) : what ? [emptyState(view, isWhole)] : []));
  }
  instead.hidden = !what;
  return what !== "";
}

function rangeWords({ total, isLoaded }) {
  const range = isLoaded ? balanceHistoryRange.range() : null;
  if (range === null) {
    return "";
  }
  const rows = `Rows ${count(range[0] + 1)}–${count(range[1] + 1)}`;
  return total === null ? rows : `${rows} of ${count(total)}`;
}

function indexWords(index) {
  return index && !index.is_complete
    ? `Indexing ${Math.floor(index.percent)} %: filters, orders and counts still miss newer entries.`
    : "";
}

/* Draws what is said of a view's rows, what stands in their place, and the files of them as of the
 * revision `pin`.
 */
function drawRows(view, state, pin) {
  for (const format of ["csv", "json"]) {
    place(`history-${format}`).setAttribute("href", file(view, format, pin));
  }
  const isList = !drawInstead(view, state);
  place("history-rows").hidden = !isList;
  // the end is not known while not all is indexed
  place("history-last").disabled = state.total === null;
  place("history-pager").classList.toggle("without-rows", !isList);
  write("history-range", isList ? rangeWords(state) : "");
  write("history-words", indexWords(state.index));
}

/* Offers to show what came since; none: nothing to offer. */
function drawNewer({ table }, number) {
  const [one, several] = table === "epochs" ? ["epoch", "epochs"] : ["entry", "entries"];
  const newer = place("history-newer");
  newer.hidden = number === 0;
  newer.textContent = number === 1 ? `1 new ${one}` : `${count(number)} new ${several}`;
}

export const balanceHistoryFrame = { draw, drawRows, drawNewer };
