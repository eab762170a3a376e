/* Toasts: what was just done, at the lower right of the working area. They lie where nothing is that is read or
 * pressed and, where no such place is, in a strip below the page, which ends above it. The newest are shown, and
 * the others counted until there is room for them.
 */
import { onArrival } from "./arrivals.js";
import { register } from "./clientside.js";
import { keepFocus } from "./dialogs.js";
import { marked, write } from "./live.js";
import { make } from "./parts.js";

const TOAST_MS = 6000;
// an error stays until it was read
const ERROR_MS = 3 * TOAST_MS;
// on a phone one is as wide as the page
const NARROW = window.matchMedia("(max-width: 768px)");
const STEP = 16; // between the places that are tried, and from the edges
const LOOK_MS = 100;
// what they never lie over; where a dialog is open, the page behind it is not read
const DIALOG = ".sidebar, .modal.show .modal-content";
const PAGE =
  ".sidebar, .ticker, .tab-row, .note-strip, .metric, .ticket, dl, table:not(.chart *, .curve-plot *, .spark *), " +
  ".desk-grid-table, .ledger, .equation, #content :is(h2, button, a, input, select, summary, label, .readout), " +
  ".metric-label";

/* Shows `message`, and returns the box that does. An `action` is the label of a button and its attributes. What
 * `stays` is there until it is closed; neither is pushed out by others. */
export function toast(message, kind, { action = null, lasts, stays = false } = {}) {
  const text = make("span", {}, ...marked(message));
  text.title = text.textContent;
  const box = make("div", { class: `toast-box ${kind}` }, text);
  box.classList.toggle("stays", stays);
  if (action !== null) {
    const [label, attributes] = action;
    box.classList.add("asks");
    box.append(make("button", { type: "button", class: "btn btn-sm btn-outline-secondary", ...attributes }, label));
  }
  box.append(make("button", { type: "button", class: "btn-close", "aria-label": "Close" }));
  document.getElementById("toasts").append(box);
  stays || goLater(box, lasts ?? (kind === "error" ? ERROR_MS : TOAST_MS));
  return box;
}

// not while somebody is at it
function goLater(box, ms) {
  setTimeout(() => (box.matches(":hover, :focus-within") ? goLater(box, ms) : box.remove()), ms);
}

/* Shows the newest, beside it one that asks or stays or else the next, and counts the others. */
function arrange(region) {
  const isHeld = (box) => box.matches(".asks, .stays");
  const [newest, ...older] = [...region.querySelectorAll(".toast-box")].reverse();
  const boxes = [newest, ...older.sort((one, other) => isHeld(other) - isHeld(one))].filter(Boolean);
  const most = NARROW.matches ? 1 : 2;
  boxes.forEach((box, place) => (box.hidden = place >= most));
  write(region.querySelector(".toasts-more"), boxes.length > most ? `and ${boxes.length - most} more` : "");
}

/* The lowest place in the working area that is free of what is `taken`, of those the one furthest to the right;
 * the place `at`, if that is; null: none. */
function freePlace(at, { width, height }, taken) {
  const isFree = ({ x, y }) =>
    y + height <= innerHeight &&
    !taken.some(({ left, right, top, bottom }) => left < x + width && right > x && top < y + height && bottom > y);
  if (at !== null && isFree(at)) {
    return at;
  }
  const { left, right } = document.querySelector(".main").getBoundingClientRect();
  for (let y = innerHeight - STEP - height; y >= STEP; y -= STEP) {
    for (let x = right - STEP - width; x >= left + STEP; x -= STEP) {
      if (isFree({ x, y })) {
        return { x, y };
      }
    }
  }
  return null;
}

let at = null; // where they lie over the page

/* Finds a place for them. Where they are well they stay: what lies below may change at any time. */
function place(region) {
  if (region.querySelector(".toast-box") === null) {
    at = null;
    region.classList.remove("docked");
  } else if (!region.matches(".docked")) {
    const below = document.querySelectorAll(document.querySelector(".modal.show") ? DIALOG : PAGE);
    const taken = Array.from(below, (each) => each.getBoundingClientRect());
    at = freePlace(at, region.getBoundingClientRect(), taken);
    region.classList.toggle("docked", at === null);
    region.style.translate = at && `${at.x}px ${at.y}px`;
  }
}

onArrival("#toasts", (region) => {
  new MutationObserver(() => (arrange(region), place(region))).observe(region, { childList: true });
  setInterval(() => region.querySelector(".toast-box") && place(region), LOOK_MS);
  region.addEventListener("click", ({ target }) => {
    if (target.matches("button")) {
      target.closest(".toast-box").remove();
      // who works with the keyboard goes on in the page, not before its beginning
      document.getElementById("content").focus({ preventScroll: true });
    }
  });
});

let shown = null; // the newest of a callback

/* Shows the message of a callback, if there is one, and moves the focus on where its place is gone. */
function showToast({ id, message, kind, focus }) {
  if (id !== shown) {
    shown = id;
    message && toast(message, kind);
    focus && keepFocus(focus);
  }
}

register({ showToast });
