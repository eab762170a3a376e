/* Says that the server has taken over from another one that has ended, to whoever had the page open. */
(() => {
  "use strict";

  let known = performance.timeOrigin; // when the last one was that needs no words
  let box = null;

  function say({ version, message }) {
    if (version > known) {
      known = version;
      box && window.balanceToasts.remove(box);
      box = window.balanceToasts.toast(message, "info", { stays: true });
    }
  }

  window.balanceState.hear("takeover", { hear: (text) => say(JSON.parse(text)), refresh() {} });
})();
