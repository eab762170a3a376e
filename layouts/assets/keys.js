/* The keys of outside bots, as the stream sends them or, without a stream, as they are fetched: the store
 * of the page gets them while their tab is shown, and their rows follow that.
 */
(() => {
  "use strict";

  const FETCH_TIMEOUT_MS = 4000;
  const FOCUS_MS = 3000;

  let newest = null; // as JSON
  let drawn = null; // what the store has
  let received = 0; // counts messages of the stream, which are newer than what was requested before
  let path = null;

  const isShown = () => path === window.balanceAddress.at("/auto");

  function show() {
    if (isShown() && newest !== drawn) {
      drawn = newest;
      window.dash_clientside.set_props("auto-keys-known", { data: JSON.parse(newest) });
    }
  }

  function take(text) {
    received += 1;
    newest = text;
    show();
  }

  async function refresh() {
    if (!isShown()) {
      return;
    }
    const before = received;
    const [answer] = await window.balanceRequests.fetchJson("/keys", { timeout: FETCH_TIMEOUT_MS });
    answer && before === received && take(JSON.stringify(answer));
  }

  /* Has them drawn when their tab is come to. */
  function choose(address) {
    path = address;
    show();
    if (newest === null || !window.balanceState.streaming) {
      refresh();
    }
    return window.dash_clientside.no_update;
  }

  /* Has the focus where it is lost in the next seconds: a dialog that closes gives it back to what it was
   * opened by, which goes then.
   */
  function keepFocus(id, until = Date.now() + FOCUS_MS) {
    if (document.activeElement === document.body && document.querySelector(".modal-backdrop") === null) {
      document.getElementById(id).focus({ preventScroll: true });
    }
    if (Date.now() < until) {
      requestAnimationFrame(() => keepFocus(id, until));
    }
  }

  /* Says in a toast what a callback did, and moves the focus on where its place is gone. */
  function say({ words, kind, focus }) {
    window.balanceToasts.toast(words, kind);
    focus && keepFocus(focus);
    return window.dash_clientside.no_update;
  }

  window.balanceState.hear("keys", { hear: take, refresh });
  window.dash_clientside = { ...window.dash_clientside, keys: { choose, say } };
})();
