/* The bell. Each firing that comes while the page is open is announced once, and those are counted that
 * nobody has seen in this browser. Python draws the dialog; while it is open the readings are fetched, as
 * they change with the prices.
 */
import { onArrival } from "../arrivals.js";
import { hearEvent } from "../balance.js";
import { register } from "../clientside.js";
import { focusSoon } from "../dialogs.js";
import { explain, provide, write } from "../live.js";
import { fetchJson } from "../requests.js";
import { setting } from "../settings/settings.js";
import { toast } from "../toasts.js";
import { notify } from "./notices.js";

const FETCH_TIMEOUT_MS = 4000;
const FOLLOW_MS = 2000;
const SEEN = "alerts-seen";
const TOAST_MS = 12000;
const MOST_ANNOUNCED = 3;
const MOST_COUNTED = 99;
const GONE = "The server does not answer, so the alerts may have changed.";

let version = 0;
let announced = null; // the id of the newest firing that this page announced, or that was before it
let last = 0; // the id of the newest one there is
let drawn = null; // what the rows look like
let focused = ""; // the id of the button that has the focus, which is another one when they are drawn anew

const place = (name) => document.getElementById(`alerts-${name}`);
const isOpen = () => place("place") !== null;
const set = (name, properties) => window.dash_clientside.set_props(`alerts-${name}`, properties);

function count() {
  const seen = Number(localStorage.getItem(SEEN) ?? 0);
  // what was seen may be of another data folder behind the same address
  const unseen = seen > last ? last : last - seen;
  const text = unseen > MOST_COUNTED ? `${MOST_COUNTED}+` : String(unseen || "");
  const bell = place("btn");
  write(bell.querySelector(".alerts-count"), text);
  bell.title = unseen ? `Alerts, ${text} new` : "Alerts";
  bell.setAttribute("aria-label", bell.title);
}

function announce(firings) {
  for (const { id, time, words, toast: isShown, notify: isNoticed } of firings.slice(-MOST_ANNOUNCED)) {
    isShown && toast(words, "notice", { lasts: TOAST_MS });
    // the ids of another file of alerts begin anew
    isNoticed && notify("Alert", words, "alert", `alert ${id} ${time}`);
  }
  const more = firings.length - MOST_ANNOUNCED;
  more > 0 && toast(`And ${more} more alerts have fired: the bell has them.`, "notice", { lasts: TOAST_MS });
}

function draw({ alerts, drawn: looks }) {
  localStorage.setItem(SEEN, last);
  provide("alerts", alerts);
  if (looks !== drawn) {
    drawn = looks;
    focused = place("list").contains(document.activeElement) ? document.activeElement.id : "";
    set("drawn", { data: looks });
  }
}

/* Takes over what the stream sent or, with all alerts, what was fetched. */
function take(answer) {
  const { version: newer, last: newest, fault, firings } = answer;
  // a request may be answered after the stream has sent something newer
  if (newer < version) {
    return;
  }
  version = newer;
  announced ??= Number(place("btn").dataset.last);
  const fresh = firings.filter(({ id }) => id > announced).reverse();
  // of a file that can't be read there seem to be none
  announced = last = fault ? Math.max(last, newest) : newest;
  explain(place("note"), fault);
  announce(fresh);
  if (isOpen()) {
    answer.alerts ? draw(answer) : refresh();
  }
  count();
}

async function refresh() {
  const [answer, problem, status] = await fetchJson("/alerts?limit=20", { timeout: FETCH_TIMEOUT_MS });
  if (answer !== null) {
    take(answer);
  } else if (isOpen()) {
    drawn = null;
    set("words", { children: status === null ? GONE : problem });
  }
}

/* Opens the dialog with the list, or comes back to that from the form. */
function showAlerts() {
  window.dash_clientside.callback_context.triggered_id === "alerts-cancel" && focusSoon("alerts-new");
  return [true, false, true, "", ""];
}

/* What keeps a firing from being heard or noticed beside the page. */
function alertSilence() {
  if (setting("notifications") && window.Notification?.permission !== "granted") {
    return "Notifications are on, but this browser has not allowed them here: see the settings.";
  }
  const isSilent = !setting("sound") && !setting("notifications");
  return isSilent ? "Sounds and notifications are off in the settings." : "";
}

// another tab has shown them
window.addEventListener("storage", ({ key }) => key === SEEN && announced !== null && count());
setInterval(() => isOpen() && refresh(), FOLLOW_MS);
onArrival("#alerts-place", refresh);
onArrival(".alert-row button", (button) => button.id === focused && button.focus());
hearEvent("alerts", { hear: (text) => take(JSON.parse(text)), refresh });
register({ showAlerts, alertSilence });
