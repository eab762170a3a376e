/* Which rows of History are in sight, and how to get to others. */
import { balanceHistoryGrid } from "./grid.js";

const grid = balanceHistoryGrid;
const place = () => document.getElementById("history-rows");

/* The first and the last row that are in sight, from 0. */
function range() {
  const viewport = place().querySelector(".ag-body-viewport")?.getBoundingClientRect();
  const rows = viewport ? [...place().querySelectorAll(".ag-center-cols-container .ag-row")] : [];
  const seen = rows.filter((row) => {
    const { top, bottom } = row.getBoundingClientRect();
    const middle = (top + bottom) / 2;
    return middle > viewport.top && middle < viewport.bottom;
  });
  const numbers = seen.map((row) => Number(row.getAttribute("row-index")));
  return numbers.length ? [Math.min(...numbers), Math.max(...numbers)] : null;
}

/* Scrolls by a page, or to an end. */
function scroll(where) {
  const [first, last] = range() ?? [0, 0];
  const end = (grid.state.total ?? grid.api.getDisplayedRowCount()) - 1;
  const page = Math.max(1, last - first);
  const goals = { first: 0, previous: first - page, next: first + page, last: end };
  const index = Math.min(Math.max(goals[where], 0), end);
  grid.api.ensureIndexVisible(index, where === "last" ? "bottom" : "top");
}

export const balanceHistoryRange = { range, scroll };
