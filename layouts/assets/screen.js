/* What belongs to the screen alone: flashes, ages, what is copied, and which tab is shown. */
import { onArrival } from "./arrivals.js";
import { confirmed, priced, snapshot } from "./balance.js";
import { fetched, register } from "./clientside.js";
import { library } from "./libraries.js";
import { write } from "./live.js";
import { toast } from "./toasts.js";

const FLASH_MS = 300;
const COPIED_MS = 2000;
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

/* Copies what `button` is for, and marks it: a large dialog leaves no room for a toast. */
async function copy(button) {
  const text = document.getElementById(button.dataset.copy).textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // only this machine's own pages may use the clipboard directly
    select(text, button);
  }
  button.classList.replace("bi-copy", "bi-check-lg");
  setTimeout(() => button.classList.replace("bi-check-lg", "bi-copy"), COPIED_MS);
  toast("Copied.", "info");
}

/* Copies `text` by way of a field beside `button`, as what is hidden can't be selected. */
function select(text, button) {
  const field = document.createElement("textarea");
  field.className = "visually-hidden";
  field.value = text;
  button.after(field);
  field.select();
  document.execCommand("copy");
  field.remove();
  button.focus({ preventScroll: true });
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-copy]");
  if (button !== null) {
    copy(button);
  }
});

export function flash(element) {
  if (!calm.matches) {
    const frames = [{ backgroundColor: "var(--flash)" }, { backgroundColor: "transparent" }];
    element.animate(frames, FLASH_MS);
  }
}

export function clock(iso) {
  return iso ? `${iso.slice(11, 19)} UTC` : "before";
}

const UNITS = [
  [86400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

// in its largest unit, or its two largest
function age(ms, count = 1) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const begin = UNITS.findIndex(([size]) => seconds >= size);
  const parts = UNITS.map(([size, unit], at) => [Math.floor((at ? seconds % UNITS[at - 1][0] : seconds) / size), unit]);
  const shown = parts.slice(begin, begin + count).filter(([number]) => number > 0);
  return shown.map((part) => part.join(" ")).join(" ") || "0 s";
}

// a replay has a time of its own: what it brought about is so old by its newest price
function nowFor(symbol) {
  const market = symbol && snapshot?.market;
  const newest = market?.feed.startsWith("replay") ? market.prices[symbol]?.time : undefined;
  return newest === undefined ? Date.now() : Date.parse(newest);
}

/* Writes how long ago the time of `element` is, or how long it has lasted since. */
export function writeMoment(element) {
  const { dateTime: iso, dataset } = element;
  const ms = nowFor(dataset.market) - Date.parse(iso);
  const words = iso && (dataset.form === "lasted" ? age(ms, 2) : `${age(ms)} ago`);
  if (element.textContent !== words) {
    element.textContent = words;
    element.title = iso && `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
  }
}

// since when what is shown is as it is: confirmed by the server, or where no prices come, priced
function shownSince(link) {
  return link === "no-prices" ? priced : confirmed;
}

function writeAges() {
  document.querySelectorAll("time.moment").forEach(writeMoment);
  const pill = document.getElementById("link-age");
  if (pill !== null) {
    const since = shownSince(document.getElementById("link-pill").dataset.link);
    write(pill, since ? age(Date.now() - since) : "");
  }
}

setInterval(writeAges, 1000);
onArrival("time.moment", writeMoment);

let address = null;
const lookers = [];

/* Has `look` called with the address now and whenever another tab is come to. */
export function followAddress(look) {
  lookers.push(look);
  address === null || look(address);
}

/* Which panels are hidden: all but that of the address. */
function showPanel(path, paths) {
  address = path;
  lookers.forEach((look) => look(path));
  const outputs = window.dash_clientside.callback_context.outputs_list;
  return outputs.map(({ id }) => paths[id.slice(0, -"-panel".length)] !== path);
}

const brought = new Set();

/* Brings what takes long to draw to its place, when its tab is first shown. */
async function bring(path, component, paths) {
  const { id } = window.dash_clientside.callback_context.outputs_list;
  if (paths[id.split("-")[0]] !== path || brought.has(id)) {
    return window.dash_clientside.no_update;
  }
  brought.add(id);
  try {
    await Promise.all([library(component.namespace), component.module && fetched(`./${component.module}`)]);
  } catch {
    // the server does not answer, as every tab says: it comes when the tab is next shown
    brought.delete(id);
    return window.dash_clientside.no_update;
  }
  return component;
}

/* Opens and closes the menu of a narrow screen, at once: nothing moves but numbers. */
function openMenu(clicks) {
  const isOpen = clicks % 2 === 1;
  return [isOpen ? "sidebar-actions open" : "sidebar-actions", String(isOpen)];
}

register({ showPanel, bring, openMenu });
