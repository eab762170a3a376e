/* The settings: the newest that the stream sent or, without a stream, that were fetched. The page
 * comes with what was so when it was made, so that it is known from the first moment.
 */
import { balanceState } from "../balance.js";
import { register } from "../clientside.js";
import { balanceLive } from "../live.js";
import { fetchJson, send } from "../requests.js";
import { balanceToasts } from "../toasts.js";

const FETCH_TIMEOUT_MS = 4000;
const THEME_STAYS = "The server does not answer, so the theme was not changed. Try again when it is back.";

let state = JSON.parse(document.getElementById("settings-now").textContent); // as GET /settings
let sender = null; // the instance of the server that sent them
const followers = [];

const show = () => {
  window.balanceTheme.show(state.theme);
  balanceLive.explain(document.getElementById("settings-note"), state.words);
};

// a request may be answered after something newer came; another server counts anew
function isOlder({ version }) {
  const instance = balanceState.snapshot?.instance;
  const isSame = instance === sender;
  sender = instance;
  return isSame && version < state.version;
}

/* Takes `answer` over, and calls who follows with what there was before. */
function apply(answer) {
  const before = state;
  const { status: _, message: __, ...settings } = answer;
  if (isOlder(settings)) {
    return;
  }
  if (JSON.stringify(settings) === JSON.stringify(before)) {
    show(); // what came with the page is not shown yet
    return;
  }
  state = settings;
  show();
  followers.forEach((follow) => follow(state, before));
}

async function refresh() {
  const [answer] = await fetchJson("/settings", { timeout: FETCH_TIMEOUT_MS });
  answer && apply(answer);
}

/* Has the server take `changes` over: [whether that was done, words, the answer if there is one]. */
async function save(changes) {
  const [done, words, answer] = await send("PUT", "/settings", changes);
  if (done) {
    apply(answer);
  }
  return [done, words, answer];
}

/* Changes between light and dark; what is shown is kept already. */
async function changeTheme() {
  const shown = document.documentElement.dataset.bsTheme;
  const theme = shown === "dark" ? "light" : "dark";
  const [done, words, answer] = await save(JSON.stringify({ theme }));
  done || balanceToasts.toast(answer === null ? THEME_STAYS : words, "error");
  return window.dash_clientside.no_update;
}

balanceState.hear("settings", { hear: (text) => apply(JSON.parse(text)), refresh });
export const balanceSettings = {
  get: (name) => state[name],
  get all() {
    return state;
  },
  /* Has `follow` called with the settings, and those from before, whenever they have changed. */
  follow(follow) {
    followers.push(follow);
  },
  open: () => document.getElementById("settings-btn").click(),
  save,
};
register({ changeTheme });
