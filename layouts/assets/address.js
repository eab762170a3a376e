/* Where this server is, which may be below a path of a proxy, and the address line: gone to another
 * address of this page without loading it anew.
 */
// as Dash knows it, which ends with a slash
const BASE = JSON.parse(document.getElementById("_dash-config").textContent).requests_pathname_prefix;

// whoever reaches the server without its proxy has the page where the proxy has it
if (!location.pathname.startsWith(BASE)) {
  location.replace(BASE + location.pathname.slice(1) + location.search);
}

/* The address of `path`, which begins with a slash, on this server. */
export const at = (path) => BASE + path.slice(1);

// what dcc.Location listens to beside the browser's own Back
const MOVED = "_dashprivate_pushstate";

/* Goes to `href`, an address on this server with its query; Back leads to where the page was, unless that is replaced. */
export function go(href, { replace = false, state = {} } = {}) {
  if (location.pathname + location.search === href) {
    return;
  }
  history[replace ? "replaceState" : "pushState"](state, "", href);
  window.dispatchEvent(new CustomEvent(MOVED));
}

/* Has `run` called when the page has gone to another address. */
export function followMoves(run) {
  window.addEventListener(MOVED, run);
  window.addEventListener("popstate", run);
}

/* Whether a click means this very page, and nobody has seen to it. */
function isPlain(event) {
  const held = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  return event.button === 0 && !held && !event.defaultPrevented;
}

// links into the history are drawn on every tab; others make a choice of the tab that they lead to
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  const { choice, value } = link?.dataset ?? {};
  const isHistory = link?.getAttribute("href").split("?")[0] === at("/history");
  if ((isHistory || choice) && !link.target && !link.download && isPlain(event)) {
    event.preventDefault();
    choice && window.dash_clientside.set_props(choice, { value });
    go(link.getAttribute("href"));
  }
});
