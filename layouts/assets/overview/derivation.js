/* How a figure comes about: whatever carries `data-derive` opens it, by click or by keyboard. */
import { balanceState } from "../balance.js";
import { balanceLive } from "../live.js";
import { balanceParts } from "../parts.js";
import { balancePerformance } from "./performance.js";

const { make } = balanceParts;

const HINT = "How this comes about";
const REFRESH_MS = 2000;
const MOUNT_TRIES = 120;
const UNMARKED = "[data-derive]:not([role])";

let current = null; // the name of the figure that is explained
let trail = []; // and of those that led to it
let shape = ""; // which terms the dialog has
let tick = null;
let readAt = 0;

const body = () => document.getElementById("derivation-body");

// a term leads to its entries, or is a figure that opens in turn
function named({ label, href, derive }) {
  if (href) {
    return make("a", { href }, label);
  }
  return derive ? make("span", { "data-derive": derive }, label) : label;
}

function term({ sign, title, ...rest }) {
  const name = named(rest);
  return make(
    "tr",
    { class: sign === "=" ? "sum" : null },
    make("td", { class: "sign" }, sign),
    make("th", { scope: "row", title }, name),
    make("td", { class: "number" }),
  );
}

function build({ words, terms }) {
  const rows = make("tbody", {}, ...terms.map(term));
  const table = make("table", { class: "derivation", "aria-label": "Terms" }, rows);
  const back = trail.length ? [make("span", { class: "back", "data-derive": trail.at(-1) }, "Back")] : [];
  const hadFocus = body().contains(document.activeElement);
  body().replaceChildren(...back, make("p", { class: "dialog-words" }), table);
  body().querySelectorAll(UNMARKED).forEach(mark);
  hadFocus && body().querySelector("[data-derive], a")?.focus();
}

function show(derivation) {
  const { title, words, terms } = derivation;
  const shaped = terms.map(({ sign, label, href, derive }) => [sign, label, href, derive]);
  const now = JSON.stringify([current, shaped]);
  // what stays keeps the focus
  if (now !== shape || body().firstChild === null) {
    build(derivation);
    shape = now;
  }
  balanceLive.write(document.getElementById("derivation-title"), title);
  balanceLive.write(body().querySelector(".dialog-words"), words);
  body().querySelectorAll("td.number").forEach((cell, at) => {
    const { display, amount } = terms[at];
    balanceLive.write(cell, display);
    cell.title = amount === null || amount === undefined ? "" : `Exactly ${amount}`;
  });
}

function showProblem(words) {
  [shape, tick] = ["", null];
  body().replaceChildren(balanceParts.problem(words));
}

// where a figure is shown, and its name there; the curve's are of a range: "range:week:pnl"
function source(name) {
  const [, range, figure] = name.match(/^range:(\w+):(\w+)$/) ?? [];
  return range ? [`/equity?range=${range}`, figure] : [undefined, name];
}

async function read() {
  const { snapshot } = balanceState;
  const name = current;
  [tick, readAt] = [snapshot?.tick + snapshot?.revision, Date.now()];
  const [path, figure] = source(name);
  const [answer, wrong] = await balancePerformance.read(path);
  if (body() === null || name !== current) {
    return;
  }
  const derivation = answer?.derivations[figure];
  derivation === undefined ? showProblem(wrong || "This figure is not known.") : show(derivation);
}

// a dialog is put into the page some time after it was opened
function whenThere(run, tries = MOUNT_TRIES) {
  if (body() !== null) {
    run();
  } else if (tries > 0) {
    requestAnimationFrame(() => whenThere(run, tries - 1));
  }
}

// from within the dialog, the one that is open is come back to
function trailTo(name, isWithin) {
  if (!isWithin) {
    return [];
  }
  return name === trail.at(-1) ? trail.slice(0, -1) : [...trail, current];
}

/* Opens the dialog for what carries `data-derive`. */
function open(figure) {
  const name = figure.dataset.derive;
  trail = trailTo(name, figure.closest("#derivation-body") !== null);
  [current, shape] = [name, ""];
  const set = window.dash_clientside.set_props;
  set("derivation-title", { children: "How it comes about" });
  set("derivation-dialog", { is_open: true });
  whenThere(read);
}

function follow(snapshot) {
  const isMoved = snapshot.tick + snapshot.revision !== tick;
  if (body() !== null && isMoved && Date.now() - readAt > REFRESH_MS) {
    read();
  }
}

// a figure that can be opened is a button, wherever it comes from
function mark(element) {
  element.setAttribute("role", "button");
  element.setAttribute("tabindex", "0");
  element.title ||= HINT;
}

new MutationObserver((changes) => {
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) {
      node.matches?.(UNMARKED) && mark(node);
      node.querySelectorAll?.(UNMARKED).forEach(mark);
    }
  }
}).observe(document.documentElement, { childList: true, subtree: true });

document.addEventListener("click", ({ target }) => {
  const figure = target.closest?.("[data-derive]");
  if (figure) {
    open(figure);
  } else if (target.closest?.("#derivation-body a")) {
    window.dash_clientside.set_props("derivation-dialog", { is_open: false });
  }
});

document.addEventListener("keydown", (event) => {
  const isPress = event.key === "Enter" || event.key === " ";
  if (isPress && event.target.matches?.("[data-derive]")) {
    event.preventDefault();
    open(event.target);
  }
});

balanceState.follow(follow);
