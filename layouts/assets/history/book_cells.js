/* What the cells of an epoch show: how it began, how long it lasted, whether it is to be compared. */
import { balanceHistory } from "./view.js";

const { MOST_COMPARED, PATH, queryOf } = balanceHistory;
const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
];

let picked = new Set(); // the epochs that are to be compared

const isFull = () => picked.size >= MOST_COMPARED;

/* Has an epoch compared, or no longer; more than can stand side by side are not. */
function pick(epoch) {
  picked.delete(epoch) || isFull() || picked.add(epoch);
}

/* How long an epoch has lasted: its two largest units. */
function lasted({ opened_at: begin, ended_at: end, is_current: isCurrent }) {
  if (!end && !isCurrent) {
    return "–"; // its end is not indexed yet
  }
  let left = Math.max(0, Math.round(((end ? Date.parse(end) : Date.now()) - Date.parse(begin)) / 1000));
  const said = [];
  for (const [unit, seconds] of UNITS) {
    const count = Math.floor(left / seconds);
    left -= count * seconds;
    count && said.push(`${count} ${unit}`);
  }
  return said.slice(0, 2).join(" ") || "0 s";
}

/* How an epoch began. */
function opened({ opened_by: by, continues, display }) {
  return { undo: `goes on from ${continues}`, reset: "after a reset", start: "the first" }[by] ?? display.opened_by;
}

// a click on the row, or Enter, is what changes it
function Pick({ data }) {
  if (!data) {
    return null;
  }
  const { epoch } = data;
  const isPicked = picked.has(epoch);
  const isDisabled = !isPicked && isFull();
  return React.createElement("input", {
    ...{ type: "checkbox", id: `history-epoch-${epoch}`, className: "form-check-input", tabIndex: -1 },
    ...{ checked: isPicked, disabled: isDisabled, readOnly: true, "aria-label": `Compare epoch ${epoch}` },
    title: isDisabled ? `At most ${MOST_COMPARED} epochs are compared` : "",
  });
}

function Name({ data }) {
  const mark = React.createElement("span", { className: "running" }, "running");
  return data ? React.createElement("span", {}, `${data.epoch} `, data.is_current && mark) : null;
}

/* A link to the entries of an epoch. */
function Entries({ data, isInWords = false }) {
  if (!data) {
    return null;
  }
  const words = `${data.display.entries} ${data.entries === 1 ? "entry" : "entries"}`;
  const link = { href: `${PATH}?${queryOf({ epoch: data.epoch })}`, tabIndex: -1, className: "elsewhere" };
  const label = { "aria-label": `${words} of epoch ${data.epoch}` };
  return React.createElement("a", { ...link, ...label }, isInWords ? words : data.display.entries);
}

export const balanceHistoryCells = {
  ...{ Pick, Name, Entries, lasted, opened, pick },
  get picked() {
    return [...picked].sort((one, other) => other - one);
  },
  set picked(epochs) {
    picked = new Set(epochs);
  },
};
