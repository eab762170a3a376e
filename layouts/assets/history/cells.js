/* What cells of History's grid show beside text: links, how long an epoch has lasted, which are to be compared,
 * and the card that a phone shows of a row.
 */
const MOST_COMPARED = 4; // as in layouts/history_view.py

let picked = new Set();

const isFull = () => picked.size >= MOST_COMPARED;

/* Has these epochs picked to be compared; null: those that are. */
export function setPicked(epochs) {
  picked = new Set(epochs ?? picked);
  // newest first
  window.dash_clientside.set_props("history-epochs-picked", { data: [...picked].sort((one, other) => other - one) });
}

/* Has an epoch compared, or no longer; more than can stand side by side are not. */
export function pick(epoch) {
  picked.delete(epoch) || isFull() || picked.add(epoch);
  setPicked(null);
}

const make = (...parts) => window.React.createElement(...parts);
// the grid has the keys
const HistoryLink = ({ data, value }) => data && make("a", { ...data.link, tabIndex: -1 }, value);
// the page writes how long it is by now
const since = (time) => make("time", { className: "moment", dateTime: time, "data-form": "lasted" });
const HistoryLasted = ({ data, value }) => (data?.since ? since(data.since) : value);

// a click on the row, or Enter, is what changes it
function HistoryPick({ data }) {
  if (!data) {
    return null;
  }
  const isPicked = picked.has(data.epoch);
  const isDisabled = !isPicked && isFull();
  return make("input", {
    ...{ type: "checkbox", id: `history-epoch-${data.epoch}`, className: "form-check-input", tabIndex: -1 },
    ...{ checked: isPicked, disabled: isDisabled, readOnly: true, "aria-label": `Compare epoch ${data.epoch}` },
    title: isDisabled ? `At most ${MOST_COMPARED} epochs are compared` : "",
  });
}

function HistoryCard({ data }) {
  if (!data) {
    return null;
  }
  const { title, figure, tone, parts, below } = data.card;
  const texts = parts.flatMap((each, at) => [at > 0 && " · ", each.since ? since(each.since) : each]);
  return make(
    "div",
    { className: "row-card" },
    data.epoch && make(HistoryPick, { data }),
    make("span", { className: "title" }, title),
    make("span", { className: `figure-text ${tone}` }, figure),
    make("span", { className: "words", title: parts.filter((each) => !each.since).join(" · ") }, ...texts),
    make("span", { className: "below" }, data.epoch ? make(HistoryLink, { data, value: below }) : below),
  );
}

const cells = { HistoryLink, HistoryLasted, HistoryPick, HistoryCard };
Object.assign((window.dashAgGridComponentFunctions ??= {}), cells);
