/* The columns of History's grid: what each cell shows, how wide it must be, and the cards of a phone. */
import { balanceAddress } from "../address.js";
import { balanceLive } from "../live.js";
import { balanceHistoryCells } from "./book_cells.js";
import { balanceHistoryTables } from "./books.js";
import { balanceHistory } from "./view.js";

const { TABLES, trader } = balanceHistoryTables;
const { PATH, queryOf } = balanceHistory;
const { isPlain } = balanceAddress;
const cells = balanceHistoryCells;

const CARDS_BELOW = 640; // of the table, px
const CARD_HEIGHT = 64;
const ROW_HEIGHT = 36;
const HEADER_HEIGHT = 32;
const PADDING = 22; // of a cell, both sides, and of the bar between two headings
const SORT_ICON = 20;
const FIXED = ["long", "pick", "lasted", "opened"]; // kinds whose columns are not widened

const entryHref = (place) => `${PATH}?${queryOf({ entry: place })}`;

/* A moment in UTC, as short as it can be written: "11-23 02:43:07", of another year "2025-11-23 02:43";
 * nothing for what has not come yet. */
function momentWords(iso) {
  if (!iso) {
    return "";
  }
  const isOfThisYear = iso.slice(0, 4) === new Date().toISOString().slice(0, 4);
  return isOfThisYear
    ? `${iso.slice(5, 10)} ${iso.slice(11, 19)}`
    : `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;
}

const exactMoment = (iso) => `${iso.slice(0, 10)} ${iso.slice(11).replace("Z", "")} UTC`;

function textOf(row, field) {
  return row?.display[field] ?? row?.[field] ?? "";
}

function toneOf(row, field) {
  return row?.display.tone ?? balanceLive.tone(textOf(row, field));
}

// in another tab it is the entry alone; here the click on its row opens it over what is listed
function PlaceLink({ value }) {
  const link = { href: value && entryHref(value), tabIndex: -1, title: "The whole entry" };
  const onClick = (event) => isPlain(event) && event.preventDefault();
  return value ? React.createElement("a", { ...link, onClick }, value) : null;
}

const howOpened = ({ data }) => (data ? cells.opened(data) : "");

const MANNERS = {
  moment: {
    cellClass: "when",
    valueGetter: ({ data, colDef }) => data?.[colDef.field] ?? "",
    valueFormatter: ({ value }) => momentWords(value),
    tooltipValueGetter: ({ value }) => (value ? exactMoment(value) : null),
  },
  number: { type: "rightAligned" },
  result: {
    type: "rightAligned",
    cellClass: ({ data, colDef }) => ["ag-right-aligned-cell", toneOf(data, colDef.field)],
  },
  trader: { valueGetter: ({ data }) => (data ? trader(data) : ""), tooltipField: "bot" },
  long: { tooltipValueGetter: ({ value }) => value || null },
  kind: { tooltipValueGetter: ({ data }) => textOf(data, "type") || null },
  name: { sortable: false, tooltipField: "client_id" },
  pick: { sortable: false, cellClass: "pick", cellRenderer: cells.Pick },
  epoch: { cellRenderer: cells.Name, tooltipValueGetter: howOpened },
  lasted: { type: "rightAligned", valueGetter: ({ data }) => (data ? cells.lasted(data) : "") },
  opened: { sortable: false, valueGetter: howOpened },
  entries: { type: "rightAligned", cellRenderer: cells.Entries },
  // in the order of the moments
  place: {
    type: "rightAligned",
    sortable: false,
    sort: null,
    cellRenderer: PlaceLink,
    valueGetter: ({ data }) => data?.place ?? "",
  },
};

const pen = document.createElement("canvas").getContext("2d");

// figures all have the same digits, so the longest of them tells the width
function widthOf(words) {
  pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return Math.ceil(pen.measureText(words).width) + PADDING;
}

function definition({ field, by = field, name, manner, width, grow, words }, { sort, widths }) {
  const isSorted = sort.replace("-", "") === by;
  return {
    colId: by,
    field,
    headerName: name,
    headerTooltip: words || null,
    minWidth: Math.max(width, widthOf(name) + (isSorted ? SORT_ICON : 0), widths[field] ?? 0),
    flex: grow ?? 1,
    sort: isSorted ? (sort.startsWith("-") ? "desc" : "asc") : null,
    valueGetter: ({ data }) => textOf(data, field),
    ...MANNERS[manner],
  };
}

function part(className, words, more = {}) {
  return React.createElement("span", { className, ...more }, words);
}

function Card({ data, table }) {
  if (!data) {
    return null;
  }
  const card = TABLES[table].card(data);
  const { title, figure, tone = balanceLive.tone(figure), words, below } = card;
  const { lead = null, time = data.time } = card;
  const said = [momentWords(time), ...words].filter(Boolean).join(" · ");
  return React.createElement(
    "div",
    { className: "row-card" },
    lead,
    part("title", title.filter(Boolean).join(" ")),
    part(`figure-text ${tone}`, figure),
    part("words", said, { title: said }),
    part("below", below),
  );
}

/* The columns of a table that is `width` px wide, in the order that `sort` says. */
function definitions(table, width, how) {
  if (width < CARDS_BELOW) {
    const card = { colId: "card", headerName: TABLES[table].name, flex: 1, sortable: false };
    const row = { valueGetter: ({ data }) => data, equals: () => false };
    return [{ ...card, ...row, cellRenderer: Card, cellRendererParams: { table } }];
  }
  return TABLES[table].columns.filter(({ from }) => from <= width).map((each) => definition(each, how));
}

/* How high rows and headings are in a table of that width. */
function heights(width) {
  return width < CARDS_BELOW ? [CARD_HEIGHT, 0] : [ROW_HEIGHT, HEADER_HEIGHT];
}

/* What of `rows` needs more room than `widths` gives it: the widths of all that is not to be clipped. */
function grown(table, rows, widths) {
  const shown = TABLES[table].columns.filter(({ manner }) => !FIXED.includes(manner));
  const needed = shown.map(({ field, manner }) => {
    const texts = rows.map((row) => (manner === "moment" ? momentWords(row[field]) : textOf(row, field)));
    const longest = texts.reduce((one, other) => (other.length > one.length ? other : one), "");
    return [field, Math.max(widths[field] ?? 0, widthOf(longest))];
  });
  return Object.fromEntries(needed);
}

export const balanceHistoryColumns = { definitions, heights, grown, entryHref, exactMoment };
