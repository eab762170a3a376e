/* The dialog behind the bell: the alerts with what they wait for, their form, and what has fired. */
import { balanceState } from "../balance.js";
import { balanceLive } from "../live.js";
import { balanceParts } from "../parts.js";
import { balanceRequests } from "../requests.js";
import { balanceAlertFeed } from "./alert_feed.js";
import { balanceAlertForm } from "./alert_form.js";
import { balanceAlertList } from "./alert_list.js";

const FOLLOW_MS = 2000;
const FIRINGS = 50;
// the requests: the method, the end of the path, and the body
const REQUESTS = {
  arm: ["PUT", "", '{"active": true}'],
  off: ["PUT", "", '{"active": false}'],
  test: ["POST", "/test", ""],
  delete: ["DELETE", "", ""],
};

let state = null; // as GET /alerts answers
let timer = null;

const place = (name) => document.getElementById(`alerts-${name}`);
const isListed = () => place("list") !== null;

function problem(words) {
  balanceLive.explain(place("words"), words);
}

// in the dialog: a toast would lie over it
function say(words, isDone = true) {
  if (isListed()) {
    balanceLive.explain(place("said"), words);
    place("said").classList.toggle("dialog-error", !isDone);
  }
}

function draw() {
  if (!isListed() || state === null) {
    return;
  }
  problem(state.words);
  place("new").disabled = !state.can_change;
  balanceAlertList.drawRows(place("list"), state, act);
  balanceAlertList.drawLog(place("log"), state.firings);
}

// how far away they are changes with the prices: while they are shown, they are fetched
async function follow() {
  clearTimeout(timer);
  if (place("place") === null) {
    return;
  }
  const answer = await balanceAlertFeed.ask(FIRINGS);
  place("list")?.removeAttribute("aria-busy");
  if (answer?.alerts) {
    state = answer;
    draw();
  } else if (isListed()) {
    problem(answer?.problem ?? "The server does not answer, so the alerts may have changed.");
  }
  if (place("place") !== null) {
    balanceAlertFeed.see();
    clearTimeout(timer);
    timer = setTimeout(follow, FOLLOW_MS);
  }
}

async function act(id, verb) {
  const alert = state.alerts.find((each) => each.id === id);
  const path = `/alerts/${encodeURIComponent(id)}`;
  if (verb === "edit") {
    showForm(alert);
    return;
  }
  const [method, end, body] = REQUESTS[verb];
  const [done, words] = await balanceRequests.send(method, path + end, body);
  say(words, done);
  await follow();
  if (done && verb === "delete") {
    place("new")?.focus();
  }
}

function showList() {
  const { make, button } = balanceParts;
  const create = { id: "alerts-new", onclick: () => showForm(null) };
  place("place").replaceChildren(
    make("p", { id: "alerts-words", class: "alerts-words", role: "status" }),
    make("div", {}, button("New alert", "plus-lg", create, "primary")),
    make("p", { id: "alerts-said", class: "alerts-said", role: "status" }),
    make("div", { id: "alerts-list", "aria-busy": state === null && "true" }),
    make("div", { id: "alerts-log" }),
  );
  draw();
}

function leaveForm(words) {
  if (place("place") !== null) {
    showList();
    say(words);
    place("new").focus();
    follow();
  }
}

// the figures that it offers come with the first answer
async function showForm(alert, first = {}) {
  const answered = follow();
  if (state === null) {
    await answered;
  }
  if (state !== null && place("place") !== null) {
    balanceAlertForm.show(place("place"), state.figures, alert, first, leaveForm);
  }
}

// a dialog is put into the page some time after it was opened
function whenOpen(then, tries = 120) {
  if (place("place") !== null) {
    then();
  } else if (tries > 0) {
    requestAnimationFrame(() => whenOpen(then, tries - 1));
  }
}

/* Opens it with the list or, with the members that a new alert begins with, with the form. */
function open(first = null) {
  window.dash_clientside.set_props("alerts-dialog", { is_open: true });
  whenOpen(() => {
    (first === null || state === null) && showList();
    first === null ? follow() : showForm(null, first);
  });
}

function openForChart() {
  const symbol = document.getElementById("futures-symbol").value;
  const threshold = balanceState.snapshot?.market.prices[symbol]?.mark;
  open({ what: "price", symbol, threshold });
}

document.addEventListener("click", ({ target }) => {
  if (target.closest("#alerts-btn")) {
    open();
  } else if (target.closest("#futures-alert")) {
    openForChart();
  }
});

balanceAlertFeed.follow(() => place("place") !== null && follow());
export const balanceAlerts = { open };
