/* The figures that only the server knows: how well it went, and how each figure comes about. Fetched
 * while somebody looks at them.
 */
(() => {
  "use strict";

  const { writeFigure } = window.balanceAtoms;

  const FETCH_TIMEOUT_MS = 8000;
  const COMMIT_PAUSE_MS = 300;
  // while prices move, and where nothing does: a day ends all the same
  const MOVING_MS = 10_000;
  const RESTING_MS = 60_000;

  let looked = false;
  let known = null;
  let version = null; // the account and revision that were asked for
  let tick = null;
  let readAt = 0;
  let asked = 0;
  let timer = null;

  const versionOf = (snapshot) => snapshot && `${snapshot.account}.${snapshot.revision}`;
  const isSeen = () => looked && document.visibilityState === "visible";

  // an amount keeps the digits that it was sent with, where the browser can tell them
  const exactly = (name, value, context) =>
    name === "amount" && typeof value === "number" ? (context?.source ?? String(value)) : value;

  /* All of it as the server has it now: [the answer, what went wrong]. */
  async function read() {
    try {
      const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
      const response = await fetch("/performance", { cache: "no-store", signal });
      const answer = JSON.parse(await response.text(), exactly);
      return response.ok ? [answer, ""] : [null, answer.detail];
    } catch {
      return [null, "The server does not answer. The figures follow when it is back."];
    }
  }

  function show() {
    for (const element of document.querySelectorAll("[data-performance]")) {
      writeFigure(element, known.display[element.dataset.performance] ?? "–");
    }
  }

  async function load() {
    clearTimeout(timer);
    timer = null;
    const { snapshot } = window.balanceState;
    [version, tick, readAt] = [versionOf(snapshot), snapshot?.tick, Date.now()];
    const number = ++asked;
    const [answer, wrong] = await read();
    if (number !== asked) {
      return;
    }
    window.balanceLive.write(document.getElementById("overview-performance-note"), wrong);
    if (answer !== null) {
      known = answer;
      show();
    }
    loadAfter(RESTING_MS);
  }

  function loadAfter(pause) {
    clearTimeout(timer);
    timer = setTimeout(() => (isSeen() ? load() : (timer = null)), pause);
  }

  function follow(snapshot) {
    if (!isSeen()) {
      return;
    }
    if (versionOf(snapshot) !== version) {
      version = versionOf(snapshot);
      loadAfter(COMMIT_PAUSE_MS);
    } else if (snapshot.tick !== tick && Date.now() - readAt > MOVING_MS) {
      load();
    }
  }

  /* The tab is come to, or left. */
  function look(path) {
    looked = path === "/";
    if (looked && (timer === null || versionOf(window.balanceState.snapshot) !== version)) {
      load();
    }
  }

  document.addEventListener("visibilitychange", () => isSeen() && timer === null && load());
  window.balanceState.follow(follow);
  window.balanceScreen.follow(look);
  window.balancePerformance = { read };
})();
