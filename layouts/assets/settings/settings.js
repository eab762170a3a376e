/* The settings: the newest that the stream sent or, without a stream, that were fetched. The page
 * comes with what was so when it was made, so that it is known from the first moment.
 */
import { hearEvent } from "../balance.js";
import { register } from "../clientside.js";
import { explain } from "../live.js";
import { change } from "../requests.js";

let state = JSON.parse(document.getElementById("settings-now").textContent); // as GET /settings
const followers = [];

/* Takes `settings` over, and calls who follows with what there was before. */
function apply(settings) {
  const before = state;
  state = settings;
  window.balanceTheme.show(state.theme);
  explain(document.getElementById("settings-note"), state.words);
  const { starting_balance: balance } = state.display;
  if (balance !== before.display.starting_balance) {
    window.dash_clientside.set_props("reset-fields", { data: { "reset-amount": balance } });
  }
  followers.forEach((follow) => follow(state, before));
}

/* Changes between light and dark, as is shown when that comes back with the settings. */
function changeTheme() {
  const theme = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
  return change("/settings", { theme });
}

/* Whether this browser lets the page notify. */
export const isPermitted = () => window.Notification?.permission === "granted";

/* What keeps this browser from notifying though the switch is on, by its name in `messages`, and whether it
 * stays on: whoever turns it on is asked by the browser, whoever opens the dialog is not. */
async function allowNotifications(opened, isOn, messages) {
  const { triggered } = window.dash_clientside.callback_context;
  const isOpened = triggered.some(({ prop_id: id }) => id.startsWith("settings-key"));
  if (!isOn || isPermitted()) {
    return ["", isOn];
  }
  if (window.Notification === undefined || isOpened) {
    return [window.Notification ? messages.unasked : messages.missing, isOpened];
  }
  const isAllowed = (await Notification.requestPermission()) === "granted";
  return [isAllowed ? "" : messages.refused, isAllowed];
}

hearEvent("settings", apply, { address: "/settings" });
register({ changeTheme, allowNotifications });
export const setting = (name) => state[name];

/* Has `follow` called with the settings, and those from before, whenever they were sent. */
export const followSettings = (follow) => followers.push(follow);
