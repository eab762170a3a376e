/* The entry that History's grid is to go to: searched in the blocks of rows as they come. */
let goal = null; // its place, and how many rows are before it in the list
let marked = null; // its place, once it was gone to as well

/* Has the grid go to the entry `to`; null: to none. */
function set(to) {
  [goal, marked] = [to, to?.place ?? null];
}

/* Looks for the entry among the `rows` of a block of `length`, which begins at `start`: goes to its row, or
 * to where it must be.
 */
function approach(api, start, rows, length) {
  if (goal === null) {
    return;
  }
  const { place, offset } = goal;
  const row = rows.findIndex((each) => each.place === place);
  if (row >= 0) {
    goal = null;
    setTimeout(() => focusRow(api, start + row));
  } else if (start === 0 && offset >= length) {
    seek(api, offset);
  } else if (offset >= start && offset < start + length) {
    // what came meanwhile may have moved it into the block behind
    goal = goal.isMoved || rows.length < length ? null : { ...goal, offset: start + length, isMoved: true };
    goal && seek(api, goal.offset);
  }
}

function seek(api, offset) {
  setTimeout(() => offset < api.getDisplayedRowCount() && api.ensureIndexVisible(offset, "middle"));
}

function focusRow(api, index) {
  api.ensureIndexVisible(index, "middle");
  api.redrawRows();
  api.setFocusedCell(index, api.getAllDisplayedColumns()[0]);
}

window.dashAgGridFunctions = {
  ...window.dashAgGridFunctions,
  historyMarked: ({ data }) => data !== undefined && data.place === marked,
};
export const balanceScrollTo = { set, approach };
