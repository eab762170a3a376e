/* The equity of the last day, drawn small under the balance; it is fetched while the page is seen. */
import { balanceState } from "../balance.js";
import { balanceParts } from "../parts.js";
import { balanceRequests } from "../requests.js";

const { draw, tone } = balanceParts;

const EVERY_MS = 60_000;
const SOON_MS = 5_000; // while there is nothing to draw yet
const FETCH_TIMEOUT_MS = 4000;
const [WIDE, HIGH] = [208, 32];
const MARGIN = 2;

let fetchedAt = 0; // when it was last fetched
let epoch = null; // the one that is drawn

/* The stretches without a gap: [time in ms, equity] each. */
function stretches(points) {
  const found = [[]];
  for (const point of points) {
    if (point === null) {
      found.push([]);
    } else {
      found.at(-1).push([Date.parse(point[0]), point[1]]);
    }
  }
  return found.filter((each) => each.length > 0);
}

function picture({ to, points, figures: { display } }) {
  const drawn = stretches(points);
  const values = drawn.flat().map(([, value]) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  // of an account that is younger than a day, all there is
  const begin = drawn[0][0][0];
  const span = Math.max(1, Date.parse(to) - begin);
  const x = (time) => MARGIN + ((time - begin) / span) * (WIDE - 2 * MARGIN);
  const y = (value) =>
    most === least ? HIGH / 2 : MARGIN + ((most - value) / (most - least)) * (HIGH - 2 * MARGIN);
  const line = (stretch) => stretch.map(([time, value]) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`);
  const words =
    `Equity of the last day: P&L ${display.pnl}, ` +
    `between ${display.equity_low} and ${display.equity_high}`;
  return draw(
    "svg",
    { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": words, "data-tone": tone(display.pnl) },
    draw("title", {}, words),
    draw("polyline", { class: "began", points: `${MARGIN},${y(values[0])} ${WIDE - MARGIN},${y(values[0])}` }),
    ...drawn.map((stretch) => draw("polyline", { class: "curve", points: line(stretch).join(" ") })),
  );
}

async function read() {
  fetchedAt = Date.now();
  const options = { timeout: FETCH_TIMEOUT_MS };
  const [answer, , status] = await balanceRequests.fetchJson("/equity?range=day", options);
  if (answer !== null && stretches(answer.points).length > 0) {
    document.getElementById("sidebar-equity").replaceChildren(picture(answer));
  } else if (status !== null) {
    fetchedAt += SOON_MS - EVERY_MS;
  }
}

// at once in another epoch, as another curve begins there
function look(snapshot) {
  const isDue = Date.now() - fetchedAt >= EVERY_MS || snapshot.epoch !== epoch;
  if (isDue && document.visibilityState === "visible") {
    epoch = snapshot.epoch;
    read();
  }
}

balanceState.follow(look);
