/* What the market and the bots did to the account of themselves: each page tells it once while it is
 * open, however many changes come at once, and what they did while the program was off once a browser.
 */
(() => {
  "use strict";

  const KEY = "news-told";
  const MOST_TOLD = 3;

  let told = null; // the account, and the newest revision up to which this page has told

  // up to where some page of this browser has told of the account
  function toldBefore(account) {
    try {
      const before = JSON.parse(localStorage.getItem(KEY));
      return before.account === account ? before.revision : 0;
    } catch {
      return 0;
    }
  }

  function tellOne(account, { revision, kind, words }) {
    const isLost = kind === "liquidation";
    window.balanceScreen.toast(words, isLost ? "error" : "info");
    const sound = isLost ? "liquidation" : "fill";
    window.balanceNotices.tell("Virtual Balance", words, sound, `news ${account} ${revision}`);
  }

  /* Tells what is new in `snapshot`; to a page that has just come to its account, that is only what
   * happened while the program was off. */
  function tell({ account, revision, recent_news: news }) {
    const before = toldBefore(account);
    const isFirst = told?.account !== account;
    const isMissed = (each) => each.source === "offline" && each.revision > before;
    const fresh = news.filter((each) => (isFirst ? isMissed(each) : each.revision > told.revision));
    told = { account, revision };
    if (revision > before) {
      localStorage.setItem(KEY, JSON.stringify(told));
    }
    if (fresh.length > MOST_TOLD) {
      window.balanceScreen.toast("More has happened meanwhile: History has it all.", "info");
    }
    fresh.slice(-MOST_TOLD).forEach((each) => tellOne(account, each));
  }

  window.balanceNews = { tell };
})();
