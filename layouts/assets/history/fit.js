/* How History's columns fit: as many as the table is wide, and wide enough for all figures in them. */
import { balanceHistoryColumns } from "./columns.js";

const { definitions, heights, grown } = balanceHistoryColumns;

let widths = {}; // what each column needs, by what it shows
let fitted = 0; // how many columns there are

const width = () => document.getElementById("history-rows").clientWidth;
const columns = ({ table, sort }) => definitions(table, width(), { sort, widths });

/* Gives the grid the columns of a view. */
function apply(api, view) {
  const defs = columns(view);
  fitted = defs.length;
  api.setGridOption("columnDefs", defs);
}

/* Gives rows and headings their height, once the grid has a source of rows. */
function applyHeights(api) {
  const [rowHeight, headerHeight] = heights(width());
  api.setGridOption("headerHeight", headerHeight);
  api.getGridOption("rowHeight") === rowHeight || api.setGridOption("rowHeight", rowHeight);
}

/* Widens the columns that have not enough room for `rows`. */
function widen(api, view, rows) {
  const needed = grown(view.table, rows, widths);
  const isMore = Object.entries(needed).some(([field, each]) => each > (widths[field] ?? 0));
  widths = needed;
  isMore && apply(api, view);
}

/* Has the columns follow the width of the table. */
function renew(api, view) {
  if (width() > 0 && fitted !== columns(view).length) {
    apply(api, view);
    applyHeights(api);
  }
}

export const balanceHistoryFit = { apply, applyHeights, widen, renew, forget: () => (widths = {}) };
