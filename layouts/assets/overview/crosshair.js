/* What is read off the curve at a moment: by pointer, by touch, and by keyboard as from a slider. */
import { balanceLive } from "../live.js";
import { balanceParts } from "../parts.js";
import { balanceAxes } from "./axes.js";

const { make, tone } = balanceParts;
const { money, gain, moment } = balanceAxes;

const PAGE = 20;
// by key: where it goes from a place among so many
const KEYS = {
  ArrowLeft: (at) => at - 1,
  ArrowRight: (at) => at + 1,
  ArrowDown: (at) => at - 1,
  ArrowUp: (at) => at + 1,
  PageDown: (at) => at - PAGE,
  PageUp: (at) => at + PAGE,
  Home: () => 0,
  End: (at, count) => count - 1,
};

/* The texts of a point; those of the newest are the account's own where it has them. */
function texts(point) {
  return {
    time: moment(point.time),
    equity: point.words?.equity ?? money(point.equity),
    pnl: point.words?.pnl ?? gain(point.pnl),
    drawdown: `${(Math.round(point.drawdown * 100) / 100 || 0).toFixed(2)}%`,
  };
}

function sentence({ time, equity, pnl, drawdown }) {
  return `${time}: equity ${equity}, P&L ${pnl}, drawdown ${drawdown}`;
}

// the place of the point that is nearest to a time
function nearest(points, time) {
  let [low, high] = [0, points.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    points[middle].time < time ? (low = middle + 1) : (high = middle);
  }
  const before = points[low - 1];
  return before && time - before.time < points[low].time - time ? low - 1 : low;
}

function cell(name) {
  const value = make("dd", { "data-field": name });
  const names = { time: "Time", equity: "Equity", pnl: "P&L, all time", drawdown: "Drawdown" };
  return [value, make("div", {}, make("dt", {}, names[name]), value)];
}

/* The figures of the point under the pointer or else of the newest; as wide whatever they are. */
function newReadout() {
  const cells = ["time", "equity", "pnl", "drawdown"].map(cell);
  const element = make("dl", { class: "readout" }, ...cells.map(([, each]) => each));
  function show(point) {
    const text = texts(point);
    for (const [value] of cells) {
      balanceLive.write(value, text[value.dataset.field]);
    }
    cells[2][0].dataset.tone = tone(text.pnl);
    cells[3][0].dataset.tone = tone(text.drawdown);
  }
  return { element, show };
}

/* A slider over the drawing. `state` has its points without gaps, its frame and what to do with
 * the place of the pointer, which is null when none is. */
function newSlider(state) {
  const slider = make("div", {
    class: "slider",
    role: "slider",
    tabindex: 0,
    "aria-label": "Equity over time, by arrow keys",
    "aria-valuemin": 0,
  });
  const go = (at) => state.look(at === null ? null : Math.max(0, Math.min(state.points.length - 1, at)));
  slider.addEventListener("pointermove", ({ offsetX }) => {
    const { first, last, right } = state.frame;
    go(nearest(state.points, first + (offsetX / right) * (last - first)));
  });
  slider.addEventListener("pointerdown", ({ offsetX }) => {
    const { first, last, right } = state.frame;
    go(nearest(state.points, first + (offsetX / right) * (last - first)));
  });
  slider.addEventListener("pointerleave", () => go(null));
  slider.addEventListener("blur", () => go(null));
  slider.addEventListener("keydown", (event) => {
    const { key } = event;
    if (key === "Escape") {
      go(null);
    } else if (key in KEYS) {
      event.preventDefault();
      const newest = state.points.length - 1;
      go(KEYS[key](state.at ?? newest, state.points.length));
    }
  });
  return slider;
}

/* Says where the slider stands among `points`. */
function tell(slider, points, at) {
  const place = at ?? points.length - 1;
  slider.setAttribute("aria-valuemax", points.length - 1);
  slider.setAttribute("aria-valuenow", place);
  slider.setAttribute("aria-valuetext", sentence(texts(points[place])));
}

export const balanceCrosshair = { newReadout, newSlider, tell, texts };
