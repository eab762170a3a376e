/* The keys of outside bots, as the stream sends them or, without a stream, as they are fetched: the store
 * of the page gets them while their tab is shown, and their rows follow that.
 */
import { balanceAddress } from "./address.js";
import { balanceState } from "./balance.js";
import { register } from "./clientside.js";
import { balanceRequests } from "./requests.js";
import { balanceToasts } from "./toasts.js";

const FETCH_TIMEOUT_MS = 4000;
const FOCUS_MS = 3000;

let newest = null; // as JSON
let drawn = null; // what the store has
let received = 0; // counts messages of the stream, which are newer than what was requested before
let path = null;

const isShown = () => path === balanceAddress.at("/auto");

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
  const [answer] = await balanceRequests.fetchJson("/keys", { timeout: FETCH_TIMEOUT_MS });
  answer && before === received && take(JSON.stringify(answer));
}

/* Has them drawn when their tab is come to. */
function choose(address) {
  path = address;
  show();
  if (newest === null || !balanceState.streaming) {
    refresh();
  }
  return window.dash_clientside.no_update;
}

/* Has the focus where it is lost in the next seconds: a dialog that closes gives it back to what it was
 * opened by, which goes then; in a dialog that goes on, the field goes that had it.
 */
function keepFocus(id, until = Date.now() + FOCUS_MS) {
  const place = document.getElementById(id);
  const dialog = place?.closest(".modal");
  const isFree = dialog || document.querySelector(".modal-backdrop") === null;
  if (document.activeElement === document.body && isFree) {
    (dialog ?? place)?.focus({ preventScroll: true });
  }
  if (Date.now() < until) {
    requestAnimationFrame(() => keepFocus(id, until));
  }
}

/* Shows the message of a callback, if there is one, and moves the focus on where its place is gone. */
function showToast({ message, kind, focus }) {
  message && balanceToasts.toast(message, kind);
  focus && keepFocus(focus);
  return window.dash_clientside.no_update;
}

balanceState.hear("keys", { hear: take, refresh });
register({ chooseKeys: choose, showToast });
