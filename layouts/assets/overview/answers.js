/* What is asked of the server beside the account: asked again when the account has moved on, while
 * the tab is looked at.
 */
(() => {
  "use strict";

  const TIMEOUT_MS = 8000;
  const GONE = "The server does not answer. This follows when it is back.";

  /* The answer to a question: [it, ""], or [null, what went wrong]. */
  async function ask(path, revive) {
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await fetch(path, { cache: "no-store", signal });
      const answer = JSON.parse(await response.text(), revive);
      return response.ok ? [answer, ""] : [null, answer.detail];
    } catch {
      return [null, GONE];
    }
  }

  /* What an answer is of: another one after each change, and when money is written another way. */
  function versionOf(snapshot) {
    const decimals = window.balanceSettings?.get("decimals");
    return snapshot && `${snapshot.account}.${snapshot.revision}.${decimals}`;
  }

  /* Has `read` called while Overview is looked at: at once, `afterCommit` ms after each change, and
   * where these are given, every `whileMoving` ms with the prices, every `atRest` ms without them,
   * and `afterFault` ms after it came to nothing. It is told what it reads the answer of, and how to
   * find out whether that is still wanted, and says whether it came to something. Returns what reads
   * at once.
   */
  function keepFresh(read, { afterCommit, whileMoving = Infinity, atRest = Infinity, afterFault }) {
    let looked = false;
    let [version, tick, at] = [null, null, 0]; // what was asked for, and when
    let asked = 0;
    let timer = null;
    const isSeen = () => looked && document.visibilityState === "visible";

    async function load() {
      clearTimeout(timer);
      timer = null;
      const { snapshot } = window.balanceState;
      [version, tick, at] = [versionOf(snapshot), snapshot?.tick, Date.now()];
      const number = ++asked;
      const isRight = await read(version, () => number === asked);
      if (number === asked) {
        loadAfter(isRight ? atRest : afterFault);
      }
    }

    function loadAfter(pause) {
      clearTimeout(timer);
      timer = pause === Infinity ? null : setTimeout(() => (isSeen() ? load() : (timer = null)), pause);
    }

    function follow(snapshot) {
      if (!isSeen()) {
        return;
      }
      if (versionOf(snapshot) !== version) {
        version = versionOf(snapshot);
        loadAfter(afterCommit);
      } else if (snapshot.tick !== tick && Date.now() - at > whileMoving) {
        load();
      }
    }

    function resume() {
      const isOld = Date.now() - at > Math.min(atRest, whileMoving);
      if (isSeen() && (at === 0 || isOld || versionOf(window.balanceState.snapshot) !== version)) {
        load();
      }
    }

    document.addEventListener("visibilitychange", resume);
    window.balanceState.follow(follow);
    window.balanceScreen.follow((path) => {
      looked = path === "/";
      resume();
    });
    return load;
  }

  window.balanceAnswers = { ask, versionOf, keepFresh };
})();
