/* The range of the equity that is shown. A click by way of Dash would take three times as long. */
import { register } from "../clientside.js";
import { drawCurve } from "../curves.js";
import { provide, write } from "../live.js";
import { fetchJson } from "../requests.js";

const PANEL = "overview-equity";

const choice = document.getElementById("overview-range");
let latest = 0; // the number of the newest request, whose answer alone counts

/* Draws the range that is chosen; those can be chosen that show more than a shorter one. */
async function drawRange() {
  const number = ++latest;
  const range = choice.querySelector(":checked").value;
  const [answer, problem, status] = await fetchJson(`/equity/drawn/${range}`);
  if (number !== latest || status === null) {
    return; // the strip over the tabs says that the server is gone
  }
  write(document.getElementById(`${PANEL}-note`), problem || answer.words);
  if (answer === null) {
    return;
  }
  const { points, display, ranges } = answer;
  for (const figure of document.querySelectorAll(`#${PANEL}-figures [data-derive]`)) {
    figure.dataset.derive = figure.dataset.derive.replace(/:\w+:/, `:${range}:`);
  }
  provide("ranges", [{ id: PANEL, display }]);
  for (const each of choice.querySelectorAll("input")) {
    each.disabled = each.value !== range && !ranges.includes(each.value);
    each.nextElementSibling.title = each.disabled ? "The account is not that old" : "";
  }
  drawCurve(points, { curve: PANEL, type: "curve-plot" });
}

// before Dash, which draws the choice anew first
choice.addEventListener("click", ({ target }) => target.matches("input") && drawRange(), true);
register({ drawRange });
