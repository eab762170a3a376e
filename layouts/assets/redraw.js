/* What Python draws, and draws anew when more than figures has changed: its rows come by the stream or,
 * without a stream, as they are fetched; the figures in them are live texts.
 */
import { at } from "./address.js";
import { hearEvent, streaming } from "./balance.js";
import { provide } from "./live.js";
import { fetchJson } from "./requests.js";
import { followAddress } from "./screen.js";

const FETCH_TIMEOUT_MS = 4000;
// at most so often are rows drawn anew
const PAUSE_MS = 1000;

/* Has the store `{kind}-drawn` hold what the rows of `kind` look like, while they are shown: whenever that
 * is another text, their callback draws them. It is the short text `drawn` that the server sends with them
 * or, where there is none, all of them. `address` is where they are fetched, `key` names each in the list
 * `kind`, `tab` is the path of the tab that shows them, null for all tabs. `follow` is called with all that
 * the server sent, `first` for what the layout has drawn.
 */
export function redraw(kind, { address, key = "id", tab = null, follow = () => {}, first = () => null }) {
  let newest = null; // what the server sent last
  let drawn = null; // what the store holds
  let drawnAt = 0;
  let timer = null;
  let received = 0; // counts messages of the stream, which are newer than what was requested before
  let isShown = tab === null;

  function draw() {
    timer = null;
    if (!isShown || newest === null) {
      return;
    }
    drawn ??= first();
    const text = newest.drawn ?? JSON.stringify(newest[kind]);
    if (text !== drawn) {
      drawn = text;
      drawnAt = Date.now();
      window.dash_clientside.set_props(`${kind}-drawn`, { data: drawn });
    }
  }

  function take(answer) {
    received += 1;
    newest = answer;
    provide(kind, new Map((answer[kind] ?? []).map((row) => [row[key], row])));
    follow(answer);
    timer ??= setTimeout(draw, Math.max(0, drawnAt + PAUSE_MS - Date.now()));
  }

  async function refresh() {
    if (!isShown) {
      return;
    }
    const before = received;
    const [answer] = await fetchJson(address, { timeout: FETCH_TIMEOUT_MS });
    answer && before === received && take(answer);
  }

  hearEvent(kind, { hear: (text) => take(JSON.parse(text)), refresh });
  tab &&
    followAddress((path) => {
      isShown = path === at(tab);
      draw();
      if (newest === null || !streaming) {
        refresh();
      }
    });
}
