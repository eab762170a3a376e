/* What opens over the page: how a figure comes about, an entry, an order, epochs side by side. Python draws
 * it; here is what opens and closes it, and when it is read anew.
 */
import { balanceState } from "./balance.js";
import { register } from "./clientside.js";

// what is read anew when the account has moved, by the store that has it done: what is there while it may
// be out of date, whether prices move it, and how long it is left alone
const READINGS = [
  { store: "derivation-moved", while: "#derivation-body", byPrices: true, pause: 2000 },
];

let isOffline = false;
let timer = null;

function versionOf({ byPrices }) {
  const { revision, tick } = balanceState.snapshot ?? {};
  return byPrices ? `${revision}.${tick}` : `${revision}`;
}

function look() {
  const isBack = isOffline;
  isOffline = document.getElementById("app-shell").dataset.link === "offline";
  for (const each of isOffline ? [] : READINGS) {
    const version = versionOf(each);
    if (document.querySelector(each.while) === null || (each.version === version && !isBack)) {
      continue;
    }
    const rest = (each.at ?? 0) + each.pause - Date.now();
    if (rest > 0 && !isBack) {
      timer ??= setTimeout(() => ((timer = null), look()), rest);
    } else {
      [each.version, each.at] = [version, Date.now()];
      window.dash_clientside.set_props(each.store, { data: version });
    }
  }
}

/* What opens a dialog for what is to be shown, empty until the server has answered, and closes it for null. */
const opens = (store, title) => (shown, isOpen) => {
  const { no_update: same } = window.dash_clientside;
  const reading = READINGS.find((each) => each.store === store);
  [reading.version, reading.at] = [versionOf(reading), Date.now()];
  return shown === null || isOpen ? [shown !== null, same, same] : [true, title(shown), []];
};

/* The attributes of what opens how a figure comes about; as in layouts/live.py. */
export const derivable = (name) => ({
  ...{ "data-derive": name, role: "button", tabindex: "0", title: "How this comes about" },
});

let derivation = { trail: [] };

/* Opens how a figure comes about; from within the dialog, the one that is open is come back to. */
function explain(figure) {
  const name = figure.dataset.derive;
  const isWithin = figure.closest("#derivation-body") !== null;
  const { trail } = derivation;
  const before = name === trail.at(-1) ? trail.slice(0, -1) : [...trail, derivation.name];
  const opened = isWithin ? derivation.opened : Date.now();
  derivation = { name, trail: isWithin ? before : [], isWithin, opened };
  window.dash_clientside.set_props("derivation-shown", { data: derivation });
}

document.addEventListener("click", ({ target }) => {
  const figure = target.closest?.("[data-derive]");
  if (figure) {
    explain(figure);
  } else if (target.closest?.("#derivation-body a")) {
    window.dash_clientside.set_props("derivation-dialog", { is_open: false });
  }
});

document.addEventListener("keydown", (event) => {
  const isPress = event.key === "Enter" || event.key === " ";
  // a button is clicked by them anyway
  if (isPress && event.target.matches?.("[data-derive]:not(button)")) {
    event.preventDefault();
    explain(event.target);
  }
});

register({ openDerivation: opens("derivation-moved", () => "How it comes about") });
balanceState.follow(look);
