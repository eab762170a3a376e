/* The fields of History's filters: each a button that opens what can be chosen. */
import { balanceAmounts } from "../amounts.js";
import { balanceState } from "../balance.js";
import { balanceParts } from "../parts.js";
import { balanceHistoryChoices } from "./choices.js";

const { make, button, numberInput } = balanceParts;
const { options } = balanceHistoryChoices;

const DAY_MS = 86_400_000;
const SPANS = [
  ["Today", 0],
  ["7 days", 7],
  ["30 days", 30],
];

// a minute is chosen as a whole, the last one too
const SECONDS = { from: ":00Z", to: ":59.999Z" };

function checks(field, { filters, change }) {
  const { name, label: title, manner } = field;
  const chosen = new Set((filters[name] ?? "").split(",").filter(Boolean));
  const boxes = options(field, filters[name]).map(([value, words]) => {
    const id = `history-${name}-${value}`;
    const type = manner === "one" ? "radio" : "checkbox";
    const box = make("input", { type, id, value, name: `history-${name}`, class: "form-check-input" });
    box.checked = chosen.has(value);
    const label = make("label", { for: id, class: "form-check-label" }, words);
    return make("div", { class: "form-check" }, box, label);
  });
  const legend = make("legend", { class: "visually-hidden" }, title);
  const body = make("fieldset", {}, legend, ...boxes);
  body.addEventListener("change", () => {
    const on = [...body.querySelectorAll("input:checked")].map(({ value }) => value);
    change({ [name]: on.join(",") });
  });
  return [body];
}

function labelled(words, input, ...more) {
  return make("div", { class: "filter" }, make("label", { for: input.id }, words), input, ...more);
}

/* A field for the number of a filter; `wrong` says what else is wrong with one that was typed. */
function numberField(name, words, kind, { filters, change }, wrong = () => "") {
  const input = numberInput(`history-${name}`, { class: "form-control form-control-sm" });
  const error = make("div", { class: "dialog-error", role: "alert" });
  input.value = filters[name] ?? "";
  input.addEventListener("change", () => {
    const isEmpty = balanceAmounts.isEmpty(input.value);
    const [number, fault] = isEmpty ? ["", ""] : balanceAmounts.read(input.value, kind);
    error.textContent = fault || (number && wrong(number));
    input.setAttribute("aria-invalid", String(error.textContent !== ""));
    error.textContent || change({ [name]: number });
  });
  return labelled(words, input, error);
}

const notAnEpoch = (number) => (/^[1-9]\d*$/.test(number) ? "" : "Epochs are numbered from 1 on.");

function epoch(_, how) {
  const now = balanceState.snapshot?.epoch;
  const input = numberField("epoch", "Number of the epoch", "plain", how, notAnEpoch);
  const running = button("The running one", "", { onclick: () => how.change({ epoch: String(now) }) });
  return [input, ...(now ? [running] : [])];
}

function amounts({ label, filters: [least, most] }, how) {
  return [
    numberField(least, `${label} from, USDT`, "money", how),
    numberField(most, `${label} to, USDT`, "money", how),
  ];
}

// midnight UTC so many days ago
function daysAgo(days) {
  return `${new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10)}T00:00:00Z`;
}

function dates(_, { filters, change }) {
  const inputs = ["from", "to"].map((name) => {
    const input = make("input", {
      type: "datetime-local",
      id: `history-${name}`,
      class: "form-control form-control-sm",
    });
    input.value = filters[name]?.slice(0, 16) ?? "";
    input.addEventListener("change", () => change({ [name]: input.value && input.value + SECONDS[name] }));
    return labelled(`${name === "from" ? "From" : "To"} (UTC)`, input);
  });
  const spans = SPANS.map(([words, days]) =>
    button(words, "", { onclick: () => change({ from: daysAgo(days), to: "" }) }),
  );
  return [make("div", { class: "spans" }, ...spans), ...inputs];
}

const BODIES = { several: checks, one: checks, epoch, amounts, dates };

const drawn = new WeakMap(); // what each of the elements shows

/* A field: a button with what it is called, which opens what can be chosen; `how` has the filters that
 * are set and `change`, which takes filters that were changed.
 */
function field(shown, how) {
  const { name, label, manner } = shown;
  const count = make("span", { class: "count" });
  const body = make("div", { class: "history-choices" });
  const summary = make("summary", { class: "btn btn-sm btn-outline-secondary" }, label, count);
  const made = make("details", { class: "history-field", name: "history-field" }, summary, body);
  made.dataset.field = name;
  drawn.set(made, shown);
  // made anew whenever it is opened: bots and symbols come and go
  made.addEventListener("toggle", () => {
    const parts = made.open ? BODIES[manner](shown, { ...how, filters: how.filters() }) : [];
    body.replaceChildren(...parts);
    made.open && body.querySelector("input, button")?.focus();
  });
  return made;
}

/* Writes on a field how much of it is chosen. */
function count(made, filters) {
  const values = drawn.get(made).filters.map((each) => filters[each] ?? "");
  const chosen = values.join(",").split(",").filter(Boolean);
  made.querySelector(".count").textContent = chosen.length ? ` ${chosen.length}` : "";
  made.classList.toggle("chosen", chosen.length > 0);
}

const opened = () => document.querySelector("#history-filters details[open]");

function close(made, isToBeFocused) {
  made.open = false;
  isToBeFocused && made.querySelector("summary").focus();
}

document.addEventListener("keydown", (event) => {
  const made = opened();
  if (event.key === "Escape" && made) {
    event.stopPropagation();
    close(made, true);
  }
});
document.addEventListener("click", ({ target }) => {
  const made = opened();
  made && !made.contains(target) && target.isConnected && close(made, false);
});

export const balanceHistoryFields = { field, count };
