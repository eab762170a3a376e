/* What History asks the server for: pages of rows, how many are new, and files of all of them. */
import { balanceAddress } from "../address.js";
import { balanceRequests } from "../requests.js";
import { balanceHistory } from "./view.js";

const { queryOf } = balanceHistory;
const TIMEOUT_MS = 20000;

/* The filters of a view as the routes take them, up to the revision `until` at most. */
function filtersOf({ filters }, until) {
  const least = Math.min(...[filters.until, until].filter(Boolean).map(Number));
  return { ...filters, ...(Number.isFinite(least) && { until: least }) };
}

function path(table, members) {
  return `/history/${table}?${queryOf(members)}`;
}

/* Fetches from the server, until `superseded` says that nobody waits for it: [its answer, the words of
 * its problem, the status of that]; all null where it does not answer.
 */
async function ask(address, superseded = null) {
  const options = { timeout: TIMEOUT_MS, signal: superseded };
  const [answer, problem, status] = await balanceRequests.fetchJson(address, options);
  return answer === null && status !== null ? [null, problem, status] : [answer, null, null];
}

/* A block of the rows of a view: as `ask`. */
function rows(view, { until, offset, limit, sort, superseded }) {
  const how = { offset, limit, ...(sort && { sort }) };
  return ask(path(view.table, { ...filtersOf(view, until), ...how }), superseded);
}

/* How many entries that fit a view came after the revision `pin`; null where that is not known. */
async function newer(view, pin) {
  const after = Math.max(Number(view.filters.after ?? 0), pin);
  const [answer] = await ask(path(view.table, { ...view.filters, after, limit: 1 }));
  return answer?.total ?? null;
}

/* Where all that a view lists, up to the revision `until` at most, is to be had as a file. */
function file(view, format, until) {
  const sort = view.sort && { sort: view.sort };
  return balanceAddress.at(path(view.table, { ...filtersOf(view, until), ...sort, format }));
}

export const balanceHistoryRequests = { ask, rows, newer, file };
