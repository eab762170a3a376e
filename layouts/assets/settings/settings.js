/* The settings: the newest that the stream sent or, without a stream, that were fetched. The page
 * comes with what was so when it was made, so that it is known from the first moment.
 */
import { hearEvent, snapshot } from "../balance.js";
import { register } from "../clientside.js";
import { explain } from "../live.js";
import { fetchJson, send } from "../requests.js";
import { toast } from "../toasts.js";

const FETCH_TIMEOUT_MS = 4000;
const THEME_STAYS = "The server does not answer, so the theme was not changed. Try again when it is back.";
const REFUSED =
  "This browser refuses notifications for this page. Allow them in its settings for the page, " +
  "then turn this on again.";
const NOT_ALLOWED = "On, but this browser has not allowed it yet. Turn it off and on to get the question.";
const NOT_HERE =
  "This browser shows no notifications here: most do only over https or on this machine's own address.";

let state = JSON.parse(document.getElementById("settings-now").textContent); // as GET /settings
let sender = null; // the instance of the server that sent them
const followers = [];

// a request may be answered after something newer came; another server counts anew
function isOlder({ version }) {
  const instance = snapshot?.instance;
  const isSame = instance === sender;
  sender = instance;
  return isSame && version < state.version;
}

/* Takes `answer` over, and calls who follows with what there was before. */
function apply({ status: _, message: __, ...settings }) {
  if (isOlder(settings)) {
    return;
  }
  const before = state;
  state = settings;
  window.balanceTheme.show(state.theme);
  explain(document.getElementById("settings-note"), state.words);
  if (state.display.starting_balance !== before.display.starting_balance) {
    const fields = { "reset-amount": state.display.starting_balance };
    window.dash_clientside.set_props("reset-fields", { data: fields });
  }
  if (JSON.stringify(state) !== JSON.stringify(before)) {
    followers.forEach((follow) => follow(state, before));
  }
}

async function refresh() {
  const [answer] = await fetchJson("/settings", { timeout: FETCH_TIMEOUT_MS });
  answer && apply(answer);
}

/* Changes between light and dark; what is shown is kept already. */
async function changeTheme() {
  const theme = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
  const [done, words, answer] = await send("PUT", "/settings", JSON.stringify({ theme }));
  done ? apply(answer) : toast(answer === null ? THEME_STAYS : words, "error");
}

/* What keeps this browser from notifying though the switch is on, and whether it stays on: whoever turns
 * it on is asked by the browser, whoever opens the dialog is not. */
async function allowNotifications(opened, isOn) {
  const { triggered } = window.dash_clientside.callback_context;
  const isOpened = triggered.some(({ prop_id: id }) => id.startsWith("settings-key"));
  if (!isOn || window.Notification?.permission === "granted") {
    return ["", isOn];
  }
  if (window.Notification === undefined || isOpened) {
    return [window.Notification ? NOT_ALLOWED : NOT_HERE, isOpened];
  }
  const isAllowed = (await Notification.requestPermission()) === "granted";
  return [isAllowed ? "" : REFUSED, isAllowed];
}

hearEvent("settings", { hear: (text) => apply(JSON.parse(text)), refresh });
register({ changeTheme, allowNotifications });
export const setting = (name) => state[name];

/* Has `follow` called with the settings, and those from before, whenever they have changed. */
export function followSettings(follow) {
  followers.push(follow);
}
