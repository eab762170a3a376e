/* What every tab says of the link and of the market: the pill, the strips over the tabs and the title. What needs
 * the server is disabled while it is gone.
 */
import { onArrival } from "./arrivals.js";
import { age, clock, explain, write } from "./live.js";

const NEEDS_SERVER = "fieldset.needs-server";

/* Whether the server does not answer, and what needs it is disabled. */
export let isOff = false;
let used = null; // what had the focus then, which the browser takes from it

const place = (id) => document.getElementById(id);
// what a place says of a state
const textOf = (id, state) => JSON.parse(place(id).dataset.texts)[state] ?? "";
const hasPrices = ({ market }) => Object.values(market.prices).some(({ state }) => state === "live");

/* The worst of the link, the account and the feed. */
function worst(link, fault, snapshot) {
  if (link === "offline") {
    return link;
  }
  return fault ? "unreadable" : snapshot !== null && hasPrices(snapshot) ? link : "no-prices";
}

/* Says how the snapshot came here, at what time, and what keeps it from being read. */
export function showLink({ state, at }, fault, snapshot) {
  const isOffline = state === "offline";
  const pill = worst(state, fault, snapshot);
  write(place("link-state"), textOf("link-pill", pill));
  write(place("link-note"), textOf("link-note", state).replace("{time}", clock(at)));
  explain(place("fault-note"), fault ?? "");
  place("link-pill").dataset.link = pill;
  place("app-shell").dataset.link = fault ? "fault" : state;
  isOff === isOffline || switchTo(isOffline);
  document.title = snapshot ? `${snapshot.display.balance} · Virtual Balance` : "Virtual Balance";
  snapshot && showMarket(snapshot.market);
}

/* Says where the prices come from, and whether they are live. */
function showMarket({ label, state, words, prices }) {
  write(place("market-label"), label);
  write(place("market-note"), words || textOf("market-note", state));
  place("app-shell").dataset.market = state;
  for (const element of document.querySelectorAll("[data-live][data-symbol]")) {
    element.dataset.state = prices[element.dataset.symbol]?.state ?? "none";
  }
}

/* Says how old what is shown is: since it was `confirmed` or, where no prices come, `priced`, both in ms. */
export function showAge(confirmed, priced) {
  const since = place("link-pill")?.dataset.link === "no-prices" ? priced : confirmed;
  write(place("link-age"), since ? age(Date.now() - since) : "");
}

/* Disables what needs the server; what was being typed goes on when it is back. */
function switchTo(isOffline) {
  isOff = isOffline;
  const { activeElement } = document;
  document.querySelectorAll(NEEDS_SERVER).forEach((each) => (each.disabled = isOff));
  if (isOff) {
    used = activeElement?.closest(NEEDS_SERVER) ? activeElement : null;
  } else if (activeElement === document.body || activeElement?.matches(".modal")) {
    used?.focus({ preventScroll: true });
  }
}

onArrival(NEEDS_SERVER, (fieldset) => (fieldset.disabled = isOff));
// what is beyond the edge of a narrow screen is come to with the keyboard, too
onArrival(".ticker-items", (items) => {
  const watch = () => (items.tabIndex = items.scrollWidth > items.clientWidth ? 0 : -1);
  new ResizeObserver(watch).observe(items);
});
