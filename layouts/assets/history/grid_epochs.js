/* The rows of the epochs, of which those that have not ended change while they are shown. */
import { balanceState } from "../balance.js";
import { balanceHistoryCells } from "./book_cells.js";
import { balanceHistoryFit } from "./fit.js";
import { balanceHistoryGrid } from "./grid.js";
import { balanceHistoryRequests } from "./requests.js";

const grid = balanceHistoryGrid;
const cells = balanceHistoryCells;

let view = null; // what is shown, where that is the epochs
let lasting = ""; // how long the running one has lasted, as its row says

const place = () => document.getElementById("history-epochs");

function set(store, data) {
  window.dash_clientside.set_props(store, { data });
}

/* Has an epoch compared, or no longer. */
function pick({ epoch }) {
  cells.pick(epoch);
  set("history-epochs-picked", cells.picked);
  grid.api.refreshCells({ columns: ["pick", "card"], force: true });
}

/* Has those that are to stand side by side read. */
const readCompared = () => set("history-compare-shown", view?.compare ?? null);

/* The rows of the grid that were fetched. */
function rows() {
  const found = [];
  grid.api?.forEachNode(({ data }) => data && found.push(data));
  return found;
}

const nodeOf = ({ epoch }) => grid.api.getRowNode(String(epoch));

/* Brings the rows of those that have not ended up to date. */
async function refresh() {
  const open = rows().filter(({ ended_at: end }) => end === null);
  const epochs = { table: "epochs", filters: { epoch: open.map(({ epoch }) => epoch).join(",") } };
  const limits = { offset: 0, limit: open.length };
  const [answer] = open.length ? await balanceHistoryRequests.rows(epochs, limits) : [null];
  if (view !== null && answer !== null) {
    answer.rows.forEach((row) => nodeOf(row)?.setData(row));
    balanceHistoryFit.widen(grid.api, view, answer.rows);
  }
}

/* Shows what stands over the epochs of a view; of another table: nothing. */
function show(next) {
  const isOther = String(view?.compare) !== String(next.compare);
  view = next.table === "epochs" ? next : null;
  place().hidden = view === null;
  if (isOther && view?.compare.length) {
    cells.picked = view.compare;
  }
  set("history-epochs-picked", cells.picked);
  isOther && readCompared();
}

// the running one lasts longer and longer
balanceState.follow(() => {
  if (view === null || !place().checkVisibility()) {
    return;
  }
  const running = rows().find((row) => row.is_current);
  const words = running ? cells.lasted(running) : "";
  if (running && words !== lasting) {
    const rowNodes = [nodeOf(running)];
    grid.api.refreshCells({ rowNodes, columns: ["seconds", "card"], force: true });
  }
  lasting = words;
});

export const balanceHistoryEpochs = { show, pick, refresh, readCompared };
