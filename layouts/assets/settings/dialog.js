/* The settings' dialog: what stands in its fields, what is wrong with it, and what is sent. */
import { balanceAmounts } from "../amounts.js";
import { register } from "../clientside.js";
import { balanceLive } from "../live.js";
import { balanceRequests } from "../requests.js";
import { balanceToasts } from "../toasts.js";
import { balanceSettings } from "./settings.js";

// The settings in the order of their table, which is that of the callback's values.
const NAMES = Object.keys(balanceSettings.all.limits);
const REFUSED =
  "This browser refuses notifications for this page. Allow them in its settings for the page, " +
  "then turn this on again.";
const NOT_ALLOWED = "On, but this browser has not allowed it yet. Turn it off and on to get the question.";
const NOT_HERE =
  "This browser shows no notifications here: most do only over https or on this machine's own address.";

const { onceUntilOpened } = balanceRequests;
const settings = balanceSettings;
const state = () => settings.all;
const noUpdate = () => window.dash_clientside.no_update;
const woken = () => window.dash_clientside.callback_context.triggered_id;
const idOf = (name) => `settings-${name.replaceAll("_", "-")}`;
const place = (name) => document.getElementById(idOf(name));
const unchanged = (open) => [open, ...NAMES.map(noUpdate)];

let shown = []; // what the fields had when they were opened

/* What stands in the field of a setting that is `value`, written as `text`. */
function inField(name, value, text) {
  const { kind } = state().limits[name];
  return kind === "switch" ? value : kind === "word" ? value : text.replaceAll(",", "");
}

const chosen = () => NAMES.map((name) => inField(name, state()[name], state().display[name]));

const defaults = () =>
  NAMES.map((name) => {
    const { default: value, default_words: text } = state().limits[name];
    return inField(name, value, text);
  });

function say(name, words) {
  const line = document.getElementById(`${idOf(name)}-error`);
  if (line !== null) {
    line.textContent = words;
    place(name).matches("input") && place(name).setAttribute("aria-invalid", String(words !== ""));
  }
}

function sayAll(words = {}) {
  NAMES.forEach((name) => say(name, words[name] ?? ""));
  balanceLive.explain(document.getElementById("settings-error"), words.dialog ?? "");
}

// a dialog is put into the page some time after it was opened
function dress(tries = 120) {
  if (place(NAMES[0]) === null) {
    tries > 0 && requestAnimationFrame(() => dress(tries - 1));
    return;
  }
  for (const name of NAMES) {
    place(name).setAttribute("aria-describedby", `${idOf(name)}-hint ${idOf(name)}-error`);
  }
  sayAll();
  if (state().notifications && window.Notification?.permission !== "granted") {
    say("notifications", window.Notification ? NOT_ALLOWED : NOT_HERE);
  }
  place(NAMES[0]).focus();
}

/* The value as JSON, or what is wrong with it: [json, words]. */
function read(name, value) {
  const { kind, label, least, most, words } = state().limits[name];
  if (kind === "word" || kind === "switch") {
    return [JSON.stringify(value), ""];
  }
  const [number, wrong] = balanceAmounts.read(value, kind === "money" ? "money" : "plain");
  if (number === null) {
    return [null, `${label} must be ${words}. ${wrong}`];
  }
  const isWrong = number < least || number > most || (kind === "whole" && number % 1 !== 0);
  return isWrong ? [null, `${label} must be ${words}.`] : [number, ""];
}

/* Saves what is another than it was: whether the dialog may close. */
async function save(values) {
  const changes = [];
  const wrong = {};
  NAMES.forEach((name, number) => {
    if (values[number] === shown[number]) {
      return;
    }
    const [json, words] = read(name, values[number]);
    if (words) {
      wrong[name] = words;
    }
    changes.push(`"${name}": ${json}`);
  });
  sayAll(wrong);
  const [first] = Object.keys(wrong);
  if (first !== undefined) {
    place(first).focus();
    return false;
  }
  // what was edited in the file is confirmed
  if (changes.length === 0 && !settings.all.words) {
    return true;
  }
  const [done, words] = await settings.save(`{${changes.join(", ")}}`);
  if (done) {
    balanceToasts.toast(words, "info");
  } else {
    sayAll({ dialog: words });
  }
  return done;
}

const saveOnce = onceUntilOpened(async (values) => unchanged(!(await save(values))));

/* Opens, fills, saves and closes the dialog: [open, the values of its fields]. */
async function dialog(...given) {
  switch (woken()) {
    case "settings-btn":
      shown = chosen();
      saveOnce.opened();
      dress();
      return [true, ...shown];
    case "settings-cancel":
      return unchanged(false);
    case "settings-defaults":
      sayAll();
      return [true, ...defaults()];
  }
  return saveOnce.confirmed(given.slice(-NAMES.length));
}

// a browser asks its person only when they have just done something
async function askForNotifications() {
  if (window.Notification === undefined) {
    return NOT_HERE;
  }
  return (await Notification.requestPermission()) === "granted" ? "" : REFUSED;
}

document.addEventListener("change", async ({ target }) => {
  if (target.id === idOf("notifications")) {
    const words = target.checked ? await askForNotifications() : "";
    say("notifications", words);
    if (words) {
      window.dash_clientside.set_props(target.id, { value: false });
    }
  }
});

register({ settingsDialog: dialog });
