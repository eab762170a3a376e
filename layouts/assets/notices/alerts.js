/* The bell. Each firing that comes while the page is open is announced once, and those are counted that
 * nobody has seen in this browser. Python draws the dialog; while it is open the readings are fetched, as
 * they change with the prices.
 */
import { onArrival } from "../arrivals.js";
import { hearEvent } from "../balance.js";
import { register } from "../clientside.js";
import { focusSoon } from "../dialogs.js";
import { explain, provide, write } from "../live.js";
import { marker } from "../redraw.js";
import { isPermitted, setting } from "../settings/settings.js";
import { toast } from "../toasts.js";
import { counted, notify } from "./notices.js";

const FOLLOW_MS = 2000;
const SEEN = "alerts-seen";
const TOAST_MS = 12000;
const MOST_NOTIFIED = 3;

let last = null; // the id of the newest firing, once that is known

const place = (name) => document.getElementById(`alerts-${name}`);
const isOpen = () => place("place") !== null;
const mark = marker("alerts-drawn");

function count() {
  const seen = Number(localStorage.getItem(SEEN) ?? 0);
  // what was seen may be of another data folder behind the same address
  const unseen = seen > last ? last : last - seen;
  const text = counted(unseen);
  const bell = place("btn");
  write(bell.querySelector(".alerts-count"), text);
  bell.title = bell.ariaLabel = unseen ? `Alerts, ${text} new` : "Alerts";
}

function announce(firings) {
  firings.filter((each) => each.toast).forEach(({ words }) => toast(words, "notice", { lasts: TOAST_MS }));
  const notified = firings.filter((each) => each.notify).slice(-MOST_NOTIFIED);
  // the ids of another file of alerts begin anew
  notified.forEach(({ id, time, words }) => notify("Alert", words, "alert", `alert ${id} ${time}`));
}

/* Takes over what the stream sent or, with all alerts, what was fetched. */
function take({ last: newest, fault, firings, alerts, drawn }) {
  last ??= Number(place("btn").dataset.last);
  announce(firings.filter(({ id }) => id > last).reverse());
  // of a file that can't be read there seem to be none
  last = fault ? Math.max(last, newest) : newest;
  explain(place("note"), fault);
  if (isOpen() && alerts) {
    localStorage.setItem(SEEN, last);
    provide("alerts", alerts);
    mark(drawn);
  } else if (isOpen()) {
    refresh();
  }
  count();
}

const refresh = hearEvent("alerts", take, { address: "/alerts?limit=20" });

/* Opens the dialog with the list, or comes back to that from the form. */
function showAlerts() {
  window.dash_clientside.callback_context.triggered_id === "alerts-cancel" && focusSoon("alerts-new");
  return [true, false, true, "", ""];
}

/* What keeps a firing from being heard or noticed beside the page, by its name in `messages`. */
function alertSilence(opened, messages) {
  const reason = setting("notifications") ? isPermitted() || "forbidden" : setting("sound") || "off";
  return messages[reason] ?? "";
}

// another tab has shown them
window.addEventListener("storage", ({ key }) => key === SEEN && last !== null && count());
setInterval(() => isOpen() && refresh(), FOLLOW_MS);
onArrival("#alerts-place", refresh);
register({ showAlerts, alertSilence });
