/* The address line: gone to another address of this page without loading it anew. */
(() => {
  "use strict";

  // what dcc.Location listens to beside the browser's own Back
  const MOVED = "_dashprivate_pushstate";

  /* Goes to `href`, a path with its query; Back leads to where the page was, unless that is replaced. */
  function go(href, { replace = false, state = {} } = {}) {
    if (location.pathname + location.search === href) {
      return;
    }
    history[replace ? "replaceState" : "pushState"](state, "", href);
    window.dispatchEvent(new CustomEvent(MOVED));
  }

  /* Whether a click means this very page, and nobody has seen to it. */
  function isPlain(event) {
    const held = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    return event.button === 0 && !held && !event.defaultPrevented;
  }

  // links into the history are drawn on every tab
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href="/history"], a[href^="/history?"]');
    if (link && !link.target && isPlain(event)) {
      event.preventDefault();
      go(link.getAttribute("href"));
    }
  });

  window.balanceAddress = { go, isPlain };
})();
