/* What Python draws, and draws anew when more than figures has changed: its rows come by the stream or,
 * without a stream, as they are fetched; the figures in them are live texts.
 */
import { at } from "./address.js";
import { hearEvent, streaming } from "./balance.js";
import { isOff } from "./link.js";
import { provide } from "./live.js";
import { onFailure } from "./requests.js";
import { followAddress } from "./screen.js";

// at most so often are rows drawn anew
const PAUSE_MS = 1000;
// and again where that came to nothing
const RETRY_MS = 5000;

const isShown = (tab) => tab === null || location.pathname === at(tab);

/* Gives the store called `store` the newest text that it is called with, while the tab with the path `tab`
 * is shown, null for all tabs: whenever that is another text, a callback draws by it. `first` is for what
 * the layout has drawn; between two of them is a `pause` in ms.
 */
export function marker(store, { tab = null, first = () => null, pause = PAUSE_MS } = {}) {
  let newest = null;
  let drawn = null; // what the store holds
  let drawnAt = 0;
  let timer = null;

  function draw() {
    timer = null;
    if (!isShown(tab) || isOff || newest === null) {
      return;
    }
    drawn ??= first();
    if (newest !== drawn) {
      drawn = newest;
      drawnAt = Date.now();
      window.dash_clientside.set_props(store, { data: drawn });
    }
  }

  // it may have been what draws this
  onFailure(() => {
    drawn = "";
    timer ??= setTimeout(draw, RETRY_MS);
  });
  tab && followAddress(draw);
  return (text) => {
    newest = text;
    timer ??= setTimeout(draw, Math.max(0, drawnAt + pause - Date.now()));
  };
}

/* Has the store `{kind}-drawn` hold what the rows of `kind` look like, as `marker` has it: the short text
 * `drawn` that the server sends with them or, where there is none, all of them. `address` is where they are
 * fetched, `key` names each in the list `kind`. `follow` is called with all that the server sent, and
 * the figures in the page that it has changed.
 */
export function redraw(kind, { address, key = "id", tab = null, follow = () => {}, first = () => null }) {
  const mark = marker(`${kind}-drawn`, { tab, first });
  let isKnown = false;

  function take(answer) {
    isKnown = true;
    follow(answer, provide(kind, answer[kind] ?? [], key));
    mark(answer.drawn ?? JSON.stringify(answer[kind]));
  }

  const refresh = hearEvent(kind, take, { address, isNeeded: () => isShown(tab) });
  tab && followAddress(() => (isKnown && streaming) || refresh());
}
