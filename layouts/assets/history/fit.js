/* How History's columns fit: as many as the table is wide, and wide enough for all figures in them. */

const CARDS_BELOW = 640; // of the table, px
const PADDING = 22; // of a cell, both sides, and of the bar between two headings
const SORT_ICON = 20;

const longest = new Map(); // the longest text of each column

const width = () => document.getElementById("history-rows").clientWidth;
const isOfCards = () => width() < CARDS_BELOW;
const pen = document.createElement("canvas").getContext("2d");

// figures all have the same digits, so the longest of them tells the width
function widthOf(text) {
  pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return Math.ceil(pen.measureText(text).width) + PADDING;
}

/* How high rows and headings are. */
export const heights = () => (isOfCards() ? [64, 0] : [36, 32]);

/* Those of `all` columns that there is room for, in the order that `sort` says. */
export function fitting(all, sort) {
  if (isOfCards()) {
    return all.filter(({ type }) => type === "card");
  }
  const shown = all.filter(({ type, context }) => type !== "card" && context.from <= width());
  return shown.map((column) => {
    const isSorted = sort.replace("-", "") === column.colId;
    const heading = widthOf(column.headerName) + (isSorted ? SORT_ICON : 0);
    return {
      ...column,
      minWidth: Math.max(column.minWidth, heading, widthOf(longest.get(column) ?? "")),
      sort: isSorted ? (sort.startsWith("-") ? "desc" : "asc") : null,
    };
  });
}

/* Notes what the rows of the grid need of the columns' width: whether that is more than it was. */
export function measure(api, all) {
  const fits = all.filter(({ context }) => context?.fits);
  let isMore = false;
  api.forEachNode(({ data }) => {
    for (const column of fits) {
      const text = data?.texts[column.colId] ?? "";
      if (text.length > (longest.get(column)?.length ?? 0)) {
        longest.set(column, text);
        isMore = true;
      }
    }
  });
  return isMore;
}
