/* The fields of History's filters: what is chosen in one goes into the address. What an address says that came about
 * otherwise, Python fills in.
 */
import { followMoves, go } from "../address.js";
import { snapshot } from "../balance.js";
import { write } from "../live.js";
import { fetchJson } from "../requests.js";
import { choose } from "./list.js";
import { hrefWith, member } from "./view.js";

const TYPING_MS = 300;
// a field that was opened, by whoever has not come into it yet
const OPENED = ".history-field[open]:not(:has(:focus:not(summary)))";
const DAY_MS = 86_400_000;
// a minute is chosen as a whole, the last one too
const SECONDS = { from: ":00Z", to: ":59.999Z" };

/* The number of a filter as it was typed, and what is wrong with it. */
async function readNumber(name, typed) {
  const body = JSON.stringify({ name, typed });
  const [answer, problem] = await fetchJson("/filters/number", { method: "POST", body });
  return answer === null ? ["", problem] : [answer.number, answer.fault];
}

/* The value of the filter `name` in its field, and what is wrong with it. */
async function readField(field, name, { inputMode, type, value }) {
  if (inputMode === "decimal") {
    return readNumber(name, value);
  }
  const isOfBoxes = type === "checkbox" || type === "radio";
  const chosen = isOfBoxes ? Array.from(field.querySelectorAll(":checked"), (each) => each.value).join(",") : value;
  return [chosen.trim() && chosen.trim() + (SECONDS[name] ?? ""), ""];
}

/* Filters by what was chosen or typed, or says what is wrong with it. */
async function filter({ target }) {
  const field = target.closest("#history-filters [data-filter]");
  if (field === null) {
    return;
  }
  const { filter: name } = field.dataset;
  const [value, fault] = await readField(field, name, target);
  write(field.querySelector("[role=alert]"), fault);
  target.setAttribute("aria-invalid", Boolean(fault));
  fault || choose({ [name]: value });
}

/* Says of each field how much is chosen in it. */
function countChosen() {
  for (const each of document.querySelectorAll("#history-filters details")) {
    const names = Array.from(each.querySelectorAll("[data-filter]"), ({ dataset }) => dataset.filter);
    const count = names.flatMap((name) => member(name).split(",").filter(Boolean)).length;
    write(each.querySelector(".count"), count ? ` ${count}` : "");
  }
}

/* The filters that a button sets: those that it names, the running epoch, or so many days. */
function filtersOf({ set, days }) {
  if (days !== undefined) {
    const first = new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);
    return { from: `${first}T00:00:00Z`, to: "" };
  }
  return set === "running" ? { epoch: snapshot.epoch } : JSON.parse(set);
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("#history-panel :is([data-set], [data-days])");
  if (button) {
    const chips = [...document.querySelectorAll(".history-chip")];
    const place = chips.indexOf(button);
    // the next chip has its id, and so the focus; where there is none, that before it or the filters have it
    const isKept = button.closest("#history-filters") !== null || (place >= 0 && place < chips.length - 1);
    isKept || (chips[place - 1] ?? document.querySelector("#history-filters summary")).focus();
    go(hrefWith(filtersOf(button.dataset)), { replace: true });
  }
  // one field is open at most
  for (const each of document.querySelectorAll("#history-filters details[open]")) {
    each.open = each.contains(target) || !target.isConnected;
  }
});
document.addEventListener("keydown", (event) => {
  const field = document.querySelector("#history-filters details[open]");
  if (event.key === "Escape" && field) {
    event.stopPropagation();
    field.open = false;
    field.querySelector("summary").focus();
  }
});
document.addEventListener(
  "toggle",
  ({ target }) => target.matches(OPENED) && target.querySelector("input, button")?.focus(),
  true,
);
document.addEventListener("change", filter);
followMoves(countChosen);

let timer = null;
document.addEventListener("input", (event) => {
  if (event.target.type === "search") {
    clearTimeout(timer);
    timer = setTimeout(filter, TYPING_MS, event);
  } else if (event.target.type === "datetime-local") {
    filter(event);
  }
});
