/* What the page knows of the equity over time: the points that were fetched, and the newest one, which
 * follows the account. Whoever draws it follows.
 */
import { balanceState } from "../balance.js";
import { balanceRefresh } from "./refresh.js";

const { ask, versionOf, keepFresh } = balanceRefresh;

const DAY = 86400e3;
/* The ranges by name: what they are called, and how long they are. */
const RANGES = {
  day: ["1D", DAY],
  week: ["1W", 7 * DAY],
  month: ["1M", 30 * DAY],
  quarter: ["3M", 91 * DAY],
  year: ["1Y", 365 * DAY],
  all: ["All", Infinity],
};
// where there is no second point yet, it is fetched as after a fault
const PAUSES = { afterCommit: 300, whileMoving: 10_000, atRest: 60_000, afterFault: 3000 };

let range = "day";
let known = null; // the last answer, read: {range, from, to, at, points, marks, figures, since, words}
let problem = "";
let live = null; // the newest point, where the account has moved since
let shown = ""; // the account and tick that it is of
const followers = [];

function tell(isNew) {
  followers.forEach((follow) => follow(isNew));
}

// a point without an equity stands for a time without one: the server was off
function point(row) {
  if (row === null || row[1] === null) {
    return null;
  }
  const [iso, equity, pnl, drawdown] = row;
  return { time: Date.parse(iso), equity, pnl, drawdown };
}

function read(answer) {
  return {
    ...answer,
    from: Date.parse(answer.from),
    to: Date.parse(answer.to),
    since: answer.since === null ? null : Date.parse(answer.since),
    at: Date.now(),
    points: answer.points.map(point),
    marks: answer.marks.map((each) => ({ ...each, at: Date.parse(each.time) })),
  };
}

async function load(of, isWanted) {
  const [answer, wrong] = await ask(`/equity?range=${range}`);
  if (!isWanted()) {
    return false;
  }
  problem = wrong;
  if (answer !== null) {
    [known, live] = [{ ...read(answer), of }, null];
  }
  tell(true);
  return answer !== null && hasCurve();
}

const hasCurve = () => known !== null && known.points.filter(Boolean).length > 1;
const last = () => known?.points.findLast(Boolean) ?? null;

// by the server's clock
const now = () => known.to + (Date.now() - known.at);

// the newest point: where prices have moved the account since the curve was fetched
function grow(snapshot) {
  const before = last();
  if (before === null || known.of !== versionOf(snapshot)) {
    return;
  }
  const { portfolio_value: equity, display } = snapshot;
  const estimate = before.pnl === null ? null : before.pnl + equity - before.equity;
  const growth = before.equity > 0 ? equity / before.equity : 1;
  live = {
    time: Math.max(before.time, now()),
    equity,
    pnl: snapshot.pnl_all_time ?? estimate,
    drawdown: Math.min(0, (100 + before.drawdown) * growth - 100),
    words: {
      equity: display.portfolio_value,
      pnl: snapshot.pnl_all_time === null ? undefined : display.pnl_all_time,
    },
  };
}

function follow(snapshot) {
  const tick = `${snapshot.instance}.${snapshot.tick}.${snapshot.revision}`;
  if (known !== null && tick !== shown) {
    shown = tick;
    grow(snapshot);
    tell(false);
  }
}

/* Shows another range. */
function choose(name) {
  range = name;
  loadNow();
  tell(true);
}

/* Whether the account is old enough for a range to show more than a shorter one does. */
function isOldEnough(name) {
  const lengths = Object.values(RANGES).map(([, length]) => length);
  const shorter = lengths[Object.keys(RANGES).indexOf(name) - 1];
  const age = known?.since == null ? 0 : known.to - known.since;
  return name === "all" || shorter === undefined || age > shorter;
}

const loadNow = keepFresh(load, PAUSES);
balanceState.follow(follow);
export const balanceCurve = {
  RANGES,
  choose,
  isOldEnough,
  hasCurve,
  follow: (follower) => followers.push(follower),
  get state() {
    return { range, problem, known, isLoading: known?.range !== range };
  },
  /* All points in their order, the newest one included; null stands between two stretches. */
  points: () => (live === null ? (known?.points ?? []) : [...known.points, live]),
};
