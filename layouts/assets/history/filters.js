/* The filters of History: what is chosen in their fields is the address, and the other way round. */
import { go } from "../address.js";
import { isEmpty, read } from "../amounts.js";
import { register } from "../clientside.js";
import { href, listOf, parse } from "./view.js";

// a minute is chosen as a whole, the last one too
const SECONDS = { from: ":00Z", to: ":59.999Z" };
// as in layouts/history_filters.py
const BY_HEADING = "heading";
const NEWEST = "newest";

const context = () => window.dash_clientside.callback_context;

/* What the field called `name` shows of a view; several values are a list in one that has a list. */
function shown(name, view, field) {
  if (name === "sort") {
    const sort = view.sort || NEWEST;
    return [...field.options].some(({ value }) => value === sort) ? sort : BY_HEADING;
  }
  const value = view.filters[name] ?? "";
  return name in SECONDS ? value.slice(0, 16) : value;
}

const element = (id) => document.getElementById(`{"name":"${id.name}","type":"${id.type}"}`);

/* The value of a field as a filter has it: several are in the order in which they are offered. */
function text(value, field) {
  if (!Array.isArray(value)) {
    return value ?? "";
  }
  const offered = [...(field?.querySelectorAll("input") ?? [])].map((each) => each.value);
  return offered.filter((each) => value.includes(each)).join(",");
}

/* Shows in the fields what a view says, and how much of each is chosen. */
function fillHistory(view, values) {
  const [fields, counts] = context().outputs_list;
  const filled = fields.map(({ id }, at) => {
    const now = shown(id.name, view, element(id));
    const isSame = now === text(values[at], element(id));
    return isSame ? window.dash_clientside.no_update : Array.isArray(values[at]) ? now.split(",").filter(Boolean) : now;
  });
  const chosen = counts.map(({ id }) => id.name.split(",").flatMap((name) => (view.filters[name] ?? "").split(",")));
  const texts = chosen.map((each) => each.filter(Boolean).length).map((number) => (number ? ` ${number}` : ""));
  // each that is set costs Dash time, also where it is the same
  const changed = counts.map(({ id }, at) =>
    element(id).textContent === texts[at] ? window.dash_clientside.no_update : texts[at],
  );
  return [filled, changed];
}

/* The number of a filter as it was typed, and what is wrong with it. */
function readFilter(name, typed) {
  if (isEmpty(typed)) {
    return ["", ""];
  }
  const [number, fault] = read(typed, name === "epoch" ? "plain" : "money");
  const isEpoch = name !== "epoch" || /^[1-9]\d*$/.test(number);
  return [number, fault || (isEpoch ? "" : "Epochs are numbered from 1 on.")];
}

/* Goes to what was chosen or typed, unless a number is none; tells what is wrong with each. */
function filterHistory() {
  const { inputs_list: [fields], outputs_list: errors } = context();
  const view = listOf(parse(location.search));
  const wrong = {};
  for (const { id, value } of fields) {
    const { name } = id;
    let chosen = text(value, element(id)).trim();
    if (chosen === shown(name, view, element(id)) || chosen === BY_HEADING) {
      continue;
    }
    if (errors.some((each) => each.id.name === name)) {
      [chosen, wrong[name]] = readFilter(name, chosen);
    }
    if (name === "sort") {
      view.sort = chosen === NEWEST ? "" : chosen;
    } else if (!wrong[name]) {
      view.filters[name] = chosen && chosen + (SECONDS[name] ?? "");
    }
  }
  go(href(view), { replace: true });
  return errors.map(({ id }) => {
    element({ ...id, type: "history-filter" })?.setAttribute("aria-invalid", String(Boolean(wrong[id.name])));
    return wrong[id.name] ?? "";
  });
}

let isToBeFocused = false;

/* Once a chip was taken away, the next one has the focus; after the last one, the filters. */
function focusHistory() {
  if (isToBeFocused) {
    isToBeFocused = false;
    const next = document.querySelector("#history-chips button");
    (next ?? document.querySelector("#history-filters :is(input, summary)"))?.focus();
  }
  return window.dash_clientside.no_update;
}

const opened = () => document.querySelector("#history-filters details[open]");

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-go]");
  if (button) {
    isToBeFocused = true;
    go(button.dataset.go, { replace: true });
  }
  // one field is open at most
  for (const each of document.querySelectorAll("#history-filters details[open]")) {
    each.open = each.contains(target) || !target.isConnected;
  }
});
document.addEventListener("keydown", (event) => {
  const field = opened();
  if (event.key === "Escape" && field) {
    event.stopPropagation();
    field.open = false;
    field.querySelector("summary").focus();
  }
});
document.addEventListener(
  "toggle",
  ({ target }) => target.open && target.matches(".history-field") && target.querySelector("input, button")?.focus(),
  true,
);
register({ fillHistory, filterHistory, focusHistory });
