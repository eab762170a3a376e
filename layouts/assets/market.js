/* The market on every tab: where the prices come from, and whether they are live. */
import { onArrival } from "./arrivals.js";
import { followAccount } from "./balance.js";
import { write } from "./live.js";

const STATE_TEXTS = {
  waiting: "Waiting for the first prices.",
  stale: "Prices have stopped. Nothing fills on old ones.",
};

const writeInto = (id, text) => write(document.getElementById(id), text);

followAccount(({ market: { label, state, words, prices } }) => {
  writeInto("market-label", label);
  writeInto("market-note", words || (STATE_TEXTS[state] ?? ""));
  document.getElementById("app-shell").dataset.market = state;
  for (const element of document.querySelectorAll("[data-live][data-symbol]")) {
    element.dataset.state = prices[element.dataset.symbol]?.state ?? "none";
  }
});
// what is beyond the edge of a narrow screen is come to with the keyboard, too
onArrival(".ticker-items", (items) => {
  const watch = () => {
    const isCut = items.scrollWidth > items.clientWidth;
    isCut ? items.setAttribute("tabindex", "0") : items.removeAttribute("tabindex");
  };
  new ResizeObserver(watch).observe(items);
});
