/* The small pieces that what is about bots is made of: elements, fields, figures and dialogs. */
import { marked, tone } from "./live.js";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children);
  return element;
}

/* An element with its attributes, those that begin with "on" being listeners. */
export function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

// the parser knows the namespace
const pattern = document.createElement("template");
pattern.innerHTML = "<svg></svg>";

/* An element of a drawing. */
function draw(tag, attributes = {}, ...children) {
  const namespace = pattern.content.firstChild.namespaceURI;
  return fill(document.createElementNS(namespace, tag), attributes, children);
}

function button(words, icon, attributes = {}, colour = "outline-secondary") {
  return make(
    "button",
    { type: "button", class: `btn btn-sm btn-${colour}${icon && ` bi-${icon}`}`, ...attributes },
    words,
  );
}

/* What stands in the place of what can't be shown: why not. */
const problem = (words) => make("p", { class: "problem", role: "alert" }, ...marked(words));

/* How long ago a moment was, which the page keeps up to date; with a symbol, by its market's time. */
const moment = (iso, symbol = null) =>
  make("time", { class: "moment", datetime: iso, "data-market": symbol });

/* A field with its label, its unit (words or an element) beside it and, below, what may be in it. */
function field(label, control, { hint = "", className = "field", unit = null } = {}) {
  const made = make("label", { class: "form-label", for: control.id }, label);
  const words = typeof unit === "string" ? make("span", { class: "input-group-text" }, unit) : unit;
  const whole = unit === null ? control : make("div", { class: "input-group" }, control, words);
  const below = make("div", { class: "hint", id: `${control.id}-hint` }, hint);
  if (hint) {
    control.setAttribute("aria-describedby", below.id);
  }
  return make("div", { class: className }, made, whole, below);
}

/* A field for a number, as text: one of type number takes no comma. */
function numberInput(id, attributes = {}) {
  return make("input", {
    id,
    type: "text",
    class: "form-control",
    autocomplete: "off",
    inputmode: "decimal",
    ...attributes,
  });
}

const option = ([value, words]) => make("option", { value }, words);

function select(id, options, attributes = {}) {
  return make("select", { id, class: "form-select", ...attributes }, ...options.map(option));
}

/* One of a few, as buttons in a row; `options` are values and words, the first one is chosen. */
function choice(id, label, options, onchange) {
  const parts = options.map(([value, words], place) => {
    const name = `${id}-${value}`;
    const attributes = { type: "radio", name: id, id: name, value, checked: place === 0 };
    return make(
      "div",
      { class: "form-check" },
      make("input", { class: "btn-check", ...attributes, onchange: () => onchange(value) }),
      make("label", { class: "btn btn-sm btn-outline-secondary", for: name }, words),
    );
  });
  const group = { id, class: "choice bots-choice", role: "radiogroup", "aria-label": label };
  return make("div", group, ...parts);
}

/* Has `parent` hold `elements` in their order; what stands right is not touched, so keeps the focus. */
export function arrange(parent, elements) {
  const kept = new Set(elements);
  [...parent.children].forEach((each) => kept.has(each) || each.remove());
  elements.forEach((each, place) => {
    if (parent.children[place] !== each) {
      parent.insertBefore(each, parent.children[place] ?? null);
    }
  });
}

const lastLine = (text) => text.trim().split("\n").at(-1);

/* A text of many lines, such as where a program failed: its last one, which opens to the whole. */
function folded(text, summary = lastLine(text)) {
  return make(
    "details",
    { class: "folded" },
    make("summary", {}, summary),
    make("pre", { class: "snippet", tabindex: 0 }, text),
  );
}

const SIDES = { buy: "Buy", sell: "Sell", close: "Close", hold: "Hold" };

/* The signal of a strategy, and its confidence where it has one: "Buy 62%". */
function sideWords({ side, confidence }) {
  const isSure = side in SIDES && side !== "hold" && confidence !== null;
  return `${SIDES[side] ?? ""}${isSure ? ` ${Math.round(confidence * 100)}%` : ""}`;
}

/* A dialog of the browser's own; Esc and what has `data-close` close it. */
function dialog(id, { title, body, foot, wide = false, onsubmit }) {
  const close = { type: "button", class: "btn-close", "aria-label": "Close", "data-close": true };
  const form = make(
    "form",
    { novalidate: true, class: "sheet-form" },
    make(
      "div",
      { class: "sheet-head" },
      make("h2", { class: "modal-title", id: `${id}-title` }, title),
      make("button", close),
    ),
    make("div", { class: "sheet-body" }, ...body),
    make(
      "div",
      { class: "sheet-foot" },
      make("div", { class: "dialog-error", id: `${id}-error`, role: "alert" }),
      ...foot,
    ),
  );
  const attributes = { id, class: wide ? "sheet wide" : "sheet", "aria-labelledby": `${id}-title` };
  const made = make("dialog", attributes, form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    onsubmit?.(event.submitter);
  });
  made.addEventListener("click", ({ target }) => target.closest("[data-close]") && made.close());
  document.body.append(made);
  return made;
}

/* A symbol as it is offered to be chosen: what is priced in another dollar is taken for USDT. */
const symbolLabel = (symbol) => (symbol.endsWith("/USDT") ? symbol : `${symbol} (1:1 USDT)`);

export const balanceParts = {
  symbolLabel,
  make,
  draw,
  button,
  problem,
  moment,
  tone,
  field,
  numberInput,
  select,
  choice,
  arrange,
  lastLine,
  folded,
  sideWords,
  dialog,
};

document.addEventListener("click", ({ target }) => {
  const id = target.closest("[data-close$='-dialog']")?.dataset.close;
  id && window.dash_clientside.set_props(id, { is_open: false });
});
