/* Flags on the curve: money in and out, resets, and liquidations, each a link to its entry. */
import { balanceAddress } from "../address.js";
import { balanceParts } from "../parts.js";
import { balanceAxes } from "./axes.js";

const { make, arrange } = balanceParts;
const { at } = balanceAddress;
const { moment } = balanceAxes;

// flags that would lie on each other are one, with their number
const WIDE = 26;
// a letter for each kind; its shape is in overview.css
const LETTERS = { deposit: "D", withdrawal: "W", reset: "R", undo: "U", liquidation: "L" };

const day = (iso) => encodeURIComponent(iso);

function words({ at, display }) {
  return `${display.words}, ${moment(at)}`;
}

/* Marks in groups of which none lies on another: [x, marks] each. */
function groups(marks, x) {
  const found = [];
  for (const mark of [...marks].sort((one, other) => one.at - other.at)) {
    const at = x(mark.at);
    const before = found.at(-1);
    before && at - before[0] < WIDE ? before[1].push(mark) : found.push([at, [mark]]);
  }
  return found;
}

function one(mark) {
  return {
    key: mark.place,
    kind: mark.kind,
    letter: LETTERS[mark.kind] ?? "•",
    title: words(mark),
    href: at(`/history?entry=${encodeURIComponent(mark.place)}`),
  };
}

function several(marks) {
  const [first, last] = [marks[0], marks.at(-1)];
  const kinds = [...new Set(marks.map(({ kind }) => kind))].join(",");
  const lines = marks.slice(0, 5).map(words);
  const more = marks.length > 5 ? [`and ${marks.length - 5} more`] : [];
  return {
    key: marks.map(({ place }) => place).join(" "),
    kind: "several",
    letter: String(marks.length),
    title: [`${marks.length} entries:`, ...lines, ...more].join("\n"),
    href: at(`/history?table=ledger&kind=${kinds}&from=${day(first.time)}&to=${day(last.time)}`),
  };
}

function link({ kind, letter, title, href }) {
  const attributes = { class: "flag", "data-kind": kind, href, title, "aria-label": title };
  return make("a", attributes, make("span", {}, letter));
}

/* Shows flags for `marks` in `row`; those that stay keep the focus. */
function show(row, marks, { x, first, right }) {
  const kept = new Map([...row.children].map((each) => [each.dataset.key, each]));
  const seen = marks.filter(({ at }) => at >= first);
  const elements = groups(seen, x).map(([at, group]) => {
    const flag = group.length === 1 ? one(group[0]) : several(group);
    const element = kept.get(flag.key) ?? link(flag);
    element.dataset.key = flag.key;
    element.style.left = `${Math.min(Math.max(at, WIDE / 2), right).toFixed(1)}px`;
    return element;
  });
  arrange(row, elements);
}

export const balanceFlags = { show };
