/* What the page knows of the bots: the newest that the stream told or, without a stream, that was
 * fetched. Whoever draws it follows, and is told only while the tab is looked at.
 */
(() => {
  "use strict";

  const FETCH_TIMEOUT_MS = 4000;

  let state = null; // as GET /bots answers
  let problem = ""; // what keeps it from being known
  let path = null;
  let heard = 0; // counts what the stream told, which is newer than what was asked for before
  let asking = false;
  const followers = [];

  const isLookedAt = () => path === "/auto";

  function tell() {
    if (isLookedAt()) {
      followers.forEach((follow) => follow(state, problem));
    }
  }

  function hear(text) {
    heard += 1;
    [state, problem] = [JSON.parse(text), ""];
    tell();
  }

  /* Fetches all of them, where somebody looks at them. */
  async function refresh() {
    if (!isLookedAt() || asking) {
      return;
    }
    const before = heard;
    asking = true;
    try {
      const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
      const response = await fetch("/bots", { cache: "no-store", signal });
      const answer = await response.json();
      if (before === heard) {
        [state, problem] = response.ok ? [answer, ""] : [state, answer.detail];
        tell();
      }
    } catch {
      // the strip over the tabs says that the server is gone
    } finally {
      asking = false;
    }
  }

  /* Has them drawn when their tab is come to. */
  function choose(address) {
    path = address;
    tell();
    if (state === null || !window.balanceState.streaming) {
      refresh();
    }
    return window.dash_clientside.no_update;
  }

  window.balanceState.hear("bots", { hear, refresh });
  window.balanceBots = {
    refresh,
    isLookedAt,
    get state() {
      return state;
    },
    find: (id) => state?.bots.find((each) => each.id === id),
    follow(follow) {
      followers.push(follow);
    },
  };
  window.dash_clientside = { ...window.dash_clientside, bots: { choose } };
})();
