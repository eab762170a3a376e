/* The bar of filters over History's rows, and the chips that say which are set. */
import { page } from "../page.js";
import { balanceParts } from "../parts.js";
import { balanceHistoryTables } from "./books.js";
import { balanceHistoryChoices } from "./choices.js";
import { balanceHistoryFields } from "./fields.js";
import { balanceHistoryRequests } from "./requests.js";

const { make, button, select, arrange } = balanceParts;
const { fieldsOf, textOf, learnOwners, sentence } = balanceHistoryChoices;
const { field, count } = balanceHistoryFields;
const { ORDERS } = balanceHistoryTables;

const TYPING_MS = 300;

let view = null;
let table = null; // whose fields are drawn
let change = () => {};
let order = () => {};
let typing = null;

const place = (id) => document.getElementById(id);

function searchField() {
  const id = "history-text";
  const input = make("input", {
    ...{ id, type: "search", class: "form-control form-control-sm", autocomplete: "off" },
    placeholder: `${textOf(table)} has…`,
    "aria-label": `${textOf(table)} has`,
    maxlength: 200,
  });
  const write = () => {
    clearTimeout(typing);
    change({ text: input.value.trim() });
  };
  input.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(write, TYPING_MS);
  });
  input.addEventListener("change", write);
  return input;
}

// the order of the rows, where a phone has no headings to press
function orderField() {
  const attributes = { "aria-label": "Order", class: "form-select form-select-sm history-order" };
  const made = select("history-order", ORDERS[table], attributes);
  made.addEventListener("change", () => order(made.value));
  return made;
}

// one that was chosen where there are headings is offered too
function showOrder(field) {
  const isKnown = [...field.options].some(({ value }) => value === view.sort);
  isKnown || field.append(make("option", { value: view.sort }, "As chosen by a heading"));
  field.value = view.sort;
}

function build() {
  table = view.table;
  const how = { filters: () => view.filters, change: (changed) => change(changed) };
  const shown = fieldsOf(table).filter((each) => each.is_shown);
  const fields = shown.map((each) => field(each, how));
  const strip = make("div", { class: "history-fields" }, ...fields, orderField());
  place("history-filters").replaceChildren(...(textOf(table) ? [searchField()] : []), strip);
}

// whose there may be is fetched when somebody opens the filter
document.addEventListener(
  "toggle",
  async ({ target }) => {
    if (!target.open || target.dataset?.field !== "owner" || target.dataset.isAsked) {
      return;
    }
    target.dataset.isAsked = "yes";
    const lists = ["/bots", "/keys"].map((path) => balanceHistoryRequests.ask(path));
    const [[ours], [others]] = await Promise.all(lists);
    learnOwners([...(ours?.bots ?? []), ...(others?.keys ?? [])]);
    target.open && target.dispatchEvent(new Event("toggle"));
  },
  true,
);

function chip(name, value) {
  const words = sentence(name, value, view.table);
  const made = button(words, "x-lg", { "aria-label": `Remove the filter ${words}`, title: "Remove" });
  made.classList.add("history-chip");
  made.dataset.filter = `${name}=${value}`;
  made.addEventListener("click", () => {
    change({ [name]: "" });
    focusNext();
  });
  return made;
}

function focusNext() {
  const next = place("history-chips").querySelector("button");
  (next ?? place("history-filters").querySelector("input, summary")).focus();
}

function drawChips() {
  const bar = place("history-chips");
  const known = new Map([...bar.children].map((each) => [each.dataset.filter, each]));
  const set = Object.entries(view.filters).map(
    ([name, value]) => known.get(`${name}=${value}`) ?? chip(name, value),
  );
  const clear = known.get("all") ?? button("Clear", "", { id: "history-clear", "data-filter": "all" });
  clear.onclick = () => {
    page.balanceHistoryScreen.clear();
    focusNext();
  };
  arrange(bar, set.length ? [...set, clear] : []);
}

/* Shows the filters of a view. */
function draw(next) {
  const isOther = next.table !== table;
  view = next;
  isOther && build();
  place("history-filters").querySelectorAll("details").forEach((made) => count(made, view.filters));
  const [text, sort] = [place("history-text"), place("history-order")];
  if (text && document.activeElement !== text) {
    text.value = view.filters.text ?? "";
  }
  showOrder(sort);
  drawChips();
}

export const balanceHistoryFilters = {
  draw,
  /* Has `toChange` called with filters that were changed, `toOrder` with an order. */
  follow(toChange, toOrder) {
    [change, order] = [toChange, toOrder];
  },
};
