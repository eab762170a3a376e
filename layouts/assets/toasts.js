/* Toasts: what was just done, at the lower right of the working area. Two at most, the rest counted;
 * they lie where nothing is that is read or pressed and, where no such place is, below the page, which
 * ends above them.
 */
import { register } from "./clientside.js";
import { keepFocus } from "./dialogs.js";
import { marked, write } from "./live.js";

const TOAST_MS = 6000;
const MOST = 2;
// where one is as wide as the page
const NARROW = window.matchMedia("(max-width: 768px)");
const MARGIN = 16;
const STEP = 16;
const LOOK_MS = 100;
/* What is never covered. Where a dialog is open, the page behind it may be if there is no other place. */
const FRAME = ".sidebar, .modal.show .modal-content";
const PAGE =
  ".ticker, .tab-row, .note-strip, .metric, .ticket, table:not(.chart *, .curve-plot *, .spark *), dl, .desk-grid-table, .ledger, .snippet-card, " +
  "#content h2, #content button, #content a, #content input, #content select, #content summary, " +
  "#content label, #content .equity-readout, #content .equation";

const hearers = []; // of their kinds
let gone = 0; // how many were pushed out since there was none

const region = () => document.getElementById("toasts");
// an error stays until it was read, or pushed out
const lasting = (kind) => (kind === "error" ? 3 * TOAST_MS : TOAST_MS);

/* Shows `message`, and returns the box that does. An `action` is a label and what a click on it does. What
 * `stays` is there until it is closed; neither is pushed out by others. */
export function toast(message, kind, { action = null, lasts = lasting(kind), stays = false } = {}) {
  const box = document.createElement("div");
  const text = document.createElement("span");
  box.className = `toast-box ${kind}`;
  box.classList.toggle("asks", action !== null);
  box.classList.toggle("stays", stays);
  text.append(...marked(message));
  text.title = text.textContent;
  box.append(text);
  if (action !== null) {
    const [label, run] = action;
    box.append(button(box, { className: "btn btn-sm btn-outline-secondary", textContent: label }, run));
  }
  box.append(button(box, { className: "btn-close", ariaLabel: "Close" }));
  region().querySelector(".toast-box") ?? (gone = 0);
  region().append(box);
  arrange();
  stays || goLater(box, lasts);
  hearers.forEach((hear) => hear(kind));
  return box;
}

/* Has `hear` called with the kind of each toast. */
export function followToasts(hear) {
  hearers.push(hear);
}

function button(box, properties, run) {
  const onclick = () => {
    remove(box);
    // who works with the keyboard goes on in the page, not before its beginning
    document.getElementById("content").focus({ preventScroll: true });
    run?.();
  };
  return Object.assign(document.createElement("button"), { type: "button", onclick, ...properties });
}

// not while somebody is at it, nor before it could be read
function goLater(box, ms) {
  const isUsed = () => box.matches(":hover, :focus-within, .waiting *");
  setTimeout(() => (isUsed() ? goLater(box, ms) : remove(box)), ms);
}

export function remove(box) {
  box.remove();
  arrange();
}

const isHeld = (box) => box.matches(".asks, .stays");

/* Shows the newest, beside it one that is held or else the next, and counts the others: those that
 * are held come back when there is room. */
function arrange() {
  const boxes = [...region().querySelectorAll(".toast-box")].reverse();
  const [newest, ...older] = boxes;
  const most = NARROW.matches && !older.some(isHeld) ? 1 : MOST;
  const shown = [newest, ...older.filter(isHeld), ...older.filter((box) => !isHeld(box))].slice(0, most);
  const waiting = boxes.filter((box) => isHeld(box) && !shown.includes(box));
  for (const box of boxes) {
    box.hidden = waiting.includes(box);
    if (!box.hidden && !shown.includes(box)) {
      box.remove();
      gone += 1;
    }
  }
  const more = newest ? gone + waiting.length : 0;
  write(region().querySelector(".toasts-more"), more > 0 ? `and ${more} more` : "");
  place();
}

const isSeen = ({ width, height, bottom, top }) =>
  width > 0 && height > 0 && bottom > 0 && top < innerHeight;
const rectangles = (selector) =>
  [...document.querySelectorAll(selector)].map((each) => each.getBoundingClientRect()).filter(isSeen);

function isFree({ x, y, width, height }, taken) {
  return !taken.some(
    (each) => each.left < x + width && each.right > x && each.top < y + height && each.bottom > y,
  );
}

/* The lowest free place in the working area, of those the one furthest to the right; null: none. */
function freePlace(width, height, taken) {
  const { left, right } = document.querySelector(".main").getBoundingClientRect();
  const furthest = Math.min(right, document.documentElement.clientWidth) - MARGIN - width;
  for (let y = innerHeight - MARGIN - height; y >= MARGIN; y -= STEP) {
    for (let x = furthest; x >= left + MARGIN; x -= STEP) {
      if (isFree({ x, y, width, height }, taken)) {
        return { x, y };
      }
    }
  }
  return null;
}

let at = null; // where they lie over the page
let isDocked = false; // or whether they stand below it

/* Finds a place for them. Where they are well they stay: nothing moves but numbers. */
function place() {
  const within = region();
  const isAny = within.querySelector(".toast-box") !== null;
  const frame = rectangles(FRAME);
  const { x, y, width, height } = within.getBoundingClientRect();
  if (!isAny || !isDocked || !isFree({ x, y, width, height }, frame)) {
    isDocked = isAny && !float(within, frame);
  }
  within.classList.toggle("docked", isDocked);
  within.style.translate = isDocked || at === null ? "" : `${at.x}px ${at.y}px`;
  const docked = within.getBoundingClientRect();
  // a dialog that leaves no room at all goes before
  within.classList.toggle("waiting", isDocked && !isFree(docked, frame));
  document.documentElement.style.setProperty("--dock", `${isDocked ? docked.height : 0}px`);
}

/* Has them lie over the page where that covers nothing: whether there is such a place. */
function float(within, frame) {
  within.classList.remove("docked");
  const { width, height } = within.getBoundingClientRect();
  const all = [...frame, ...rectangles(PAGE)];
  const isOverPage = document.querySelector(".modal.show") !== null;
  const isWell = at !== null && at.y + height <= innerHeight && isFree({ ...at, width, height }, all);
  if (!isWell) {
    at = freePlace(width, height, all) ?? (isOverPage ? freePlace(width, height, frame) : null);
  }
  return at !== null;
}

// what lies below may change at any time: it is scrolled, a dialog opens, a table comes later
setInterval(() => (region()?.textContent || isDocked) && arrange(), LOOK_MS);

let shown = null; // the newest of a callback

/* Shows the message of a callback, if there is one, and moves the focus on where its place is gone. */
function showToast({ id, message, kind, focus }) {
  if (id !== shown) {
    shown = id;
    message && toast(message, kind);
    focus && keepFocus(focus);
  }
  return window.dash_clientside.no_update;
}

register({ showToast });
