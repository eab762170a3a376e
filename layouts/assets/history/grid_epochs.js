/* What stands over the epochs of History: how to compare some of them, those side by side, and the undo
 * of the last reset. Of their rows, those that have not ended change while they are shown.
 */
import { balanceAddress } from "../address.js";
import { balanceState } from "../balance.js";
import { balanceLive } from "../live.js";
import { page } from "../page.js";
import { balanceParts } from "../parts.js";
import { balanceReset } from "../reset.js";
import { balanceHistoryCells } from "./book_cells.js";
import { balanceHistoryFit } from "./fit.js";
import { balanceHistoryGrid } from "./grid.js";
import { balanceHistoryRequests } from "./requests.js";
import { balanceHistory } from "./view.js";

const { make, button } = balanceParts;
const { MOST_COMPARED, href } = balanceHistory;
const { go } = balanceAddress;
const source = balanceHistoryRequests;
const grid = balanceHistoryGrid;
const cells = balanceHistoryCells;
const fit = balanceHistoryFit;

const HOW = `An epoch is the account between two resets. Choose 2 to ${MOST_COMPARED} to compare them.`;

let view = null; // what is shown, where that is the epochs
let compared = []; // the rows of those side by side
let isToBeFocused = false; // the comparison, once it is drawn
let latest = 0; // the number of the newest request
let lasting = ""; // how long the running one has lasted, as its row says

const place = (id) => document.getElementById(id);

function build() {
  const undo = button("Undo the last reset", "arrow-counterclockwise", { id: "history-undo" });
  undo.addEventListener("click", () => balanceReset.undo());
  const icon = "layout-three-columns";
  const compare = button("Compare", icon, { id: "history-compare", onclick: comparePicked });
  place("history-epochs").replaceChildren(
    make("div", { class: "epochs-head" }, make("span", {}, HOW), compare, undo),
    make("p", { id: "history-compared-words", role: "status" }),
    make("div", { id: "history-compared" }),
  );
}

function drawHead() {
  place("history-compare") ?? build();
  place("history-compare").disabled = cells.picked.length < 2;
  place("history-undo").hidden = !balanceState.snapshot?.can_undo_reset;
}

function comparePicked() {
  isToBeFocused = true;
  go(href({ ...view, compare: cells.picked }), { replace: true });
}

/* Has an epoch compared, or no longer. */
function pick({ epoch }) {
  cells.pick(epoch);
  drawHead();
  grid.api.refreshCells({ columns: ["pick", "card"], force: true });
}

// why not all stand side by side that were to
function wordsOf({ compare }, index) {
  const missing = compare.filter((each) => !compared.some(({ epoch }) => epoch === each));
  const words = missing.map((each) =>
    index.is_complete ? `There is no epoch ${each}.` : `Epoch ${each} is not indexed yet.`,
  );
  compared.length === 1 && words.push(`Choose another one to compare epoch ${compared[0].epoch} with.`);
  return words.join(" ");
}

/* Asks for those that are to stand side by side. */
async function readCompared() {
  const number = ++latest;
  const compare = view?.compare ?? [];
  const [answer, problem] = compare.length ? await epochsOf(compare) : [{ rows: [] }, null];
  if (number !== latest || view === null || (answer === null && problem === null)) {
    return;
  }
  compared = answer?.rows ?? [];
  balanceLive.explain(place("history-compared-words"), problem ?? wordsOf(view, answer.index));
  page.balanceHistoryCompare.draw(compared, answer?.figures ?? []);
  if (isToBeFocused && compared.length > 1) {
    isToBeFocused = false;
    document.querySelector("#history-compared h3").focus();
  }
}

function epochsOf(numbers) {
  const of = { table: "epochs", filters: { epoch: numbers.join(",") } };
  return source.rows(of, { offset: 0, limit: numbers.length });
}

/* The rows of the grid that were fetched. */
function rows() {
  const found = [];
  grid.api?.forEachNode(({ data }) => data && found.push(data));
  return found;
}

const hasNotEnded = ({ ended_at: end }) => end === null;
const nodeOf = ({ epoch }) => grid.api.getRowNode(String(epoch));

function update(changed) {
  changed.forEach((row) => nodeOf(row)?.setData(row));
  fit.widen(grid.api, view, changed);
}

/* Brings the rows of those that have not ended up to date, here and side by side. */
async function refresh() {
  const open = rows().filter(hasNotEnded);
  const [answer] = open.length ? await epochsOf(open.map(({ epoch }) => epoch)) : [null];
  if (view !== null) {
    update(answer?.rows ?? []);
    const isWhole = compared.length === view.compare.length && !compared.some(hasNotEnded);
    isWhole || readCompared();
  }
}

/* Shows what stands over the epochs of a view; of another table: nothing. */
function show(next) {
  const isOther = String(view?.compare) !== String(next.compare);
  view = next.table === "epochs" ? next : null;
  place("history-epochs").hidden = view === null;
  if (view === null) {
    return;
  }
  if (isOther && view.compare.length) {
    cells.picked = view.compare;
  }
  drawHead();
  isOther && readCompared();
}

// the running one lasts longer and longer
balanceState.follow(() => {
  if (view === null || !place("history-epochs").checkVisibility()) {
    return;
  }
  drawHead();
  const running = rows().find((row) => row.is_current);
  const words = running ? cells.lasted(running) : "";
  if (running && words !== lasting) {
    const rowNodes = [nodeOf(running)];
    grid.api.refreshCells({ rowNodes, columns: ["seconds", "card"], force: true });
  }
  lasting = words;
});

export const balanceHistoryEpochs = { show, pick, refresh, readCompared };
