/* The market on every tab: where the prices come from, and whether they are live. */
(() => {
  "use strict";

  const STATE_WORDS = {
    waiting: "Waiting for the first prices.",
    stale: "Prices have stopped. Nothing fills on old ones.",
  };

  const write = (id, words) => window.balanceLive.write(document.getElementById(id), words);

  function show({ market }) {
    const { label, state, words, prices } = market;
    write("market-label", label);
    write("market-note", words || (STATE_WORDS[state] ?? ""));
    document.getElementById("app-shell").dataset.market = state;
    for (const element of document.querySelectorAll("[data-live][data-symbol]")) {
      element.dataset.state = prices[element.dataset.symbol]?.state ?? "none";
    }
  }

  window.balanceState.follow(show);
})();
