/* The market on every tab: where the prices come from, and whether they are live. */
import { followAccount } from "./balance.js";
import { write } from "./live.js";

const STATE_WORDS = {
  waiting: "Waiting for the first prices.",
  stale: "Prices have stopped. Nothing fills on old ones.",
};

const writeInto = (id, text) => write(document.getElementById(id), text);

let items = null;

// what is beyond the edge of a narrow screen is come to with the keyboard, too
function watchWidth() {
  items = document.querySelector(".ticker-items");
  new ResizeObserver(() => {
    const isCut = items.scrollWidth > items.clientWidth;
    isCut ? items.setAttribute("tabindex", "0") : items.removeAttribute("tabindex");
  }).observe(items);
}

function show({ market }) {
  items ?? watchWidth();
  const { label, state, words, prices } = market;
  writeInto("market-label", label);
  writeInto("market-note", words || (STATE_WORDS[state] ?? ""));
  document.getElementById("app-shell").dataset.market = state;
  for (const element of document.querySelectorAll("[data-live][data-symbol]")) {
    element.dataset.state = prices[element.dataset.symbol]?.state ?? "none";
  }
}

followAccount(show);
