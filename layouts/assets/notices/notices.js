/* Notices beyond the page: the browser's own notifications, and short sounds, where the settings have
 * them on. What every tab receives is announced by one tab of the browser only.
 */
import { at } from "../address.js";
import { onArrival } from "../arrivals.js";
import { isPermitted, setting } from "../settings/settings.js";

const HELD_MS = 600000;
const LOUDNESS = 0.08;
const MOST_COUNTED = 99;
// [pitch in Hz, when it begins, how long it lasts in s]
const SOUNDS = {
  fill: [[880, 0, 0.1]],
  alert: [[660, 0, 0.12], [990, 0.14, 0.2]],
  liquidation: [[440, 0, 0.16], [330, 0.18, 0.32]],
};

let context = null;

const canNotify = () => setting("notifications") && isPermitted();
// a browser lets a page sound only once somebody has used it
const canSound = () => setting("sound") && navigator.userActivation?.hasBeenActive !== false;

/* Has one tab of the browser do what announces `key`, the first: it holds a lock of that name for as long as
 * another one may be late. */
function once(key, run) {
  // without a secure context there are none, and each tab does
  navigator.locks ?? run();
  navigator.locks?.request(`balance-notices ${key}`, { ifAvailable: true }, (lock) => {
    lock && run();
    return lock && new Promise((release) => setTimeout(release, HELD_MS));
  });
}

function show(title, body, tag) {
  try {
    const notice = new Notification(title, { body, tag, icon: at("/assets/favicon.svg") });
    notice.onclick = () => {
      window.focus();
      notice.close();
    };
  } catch {
    // some phones take none from a page; the toast has said it
  }
}

async function play(kind) {
  context ??= new AudioContext();
  await context.resume();
  for (const [pitch, begin, length] of SOUNDS[kind] ?? SOUNDS.fill) {
    const [source, volume] = [context.createOscillator(), context.createGain()];
    const start = context.currentTime + begin;
    source.frequency.value = pitch;
    volume.gain.setValueAtTime(LOUDNESS, start);
    // to nothing at once it would click
    volume.gain.exponentialRampToValueAtTime(0.0001, start + length);
    source.connect(volume).connect(context.destination);
    source.start(start);
    source.stop(start + length);
  }
}

// what was done on this page sounds in this tab
onArrival(".toast-box.fill", () => canSound() && play("fill"));

/* A count of what is new, as it is shown; that is less than there are where it is not all of them. */
export function counted(number, isAll = true) {
  const isMore = number > MOST_COUNTED || !isAll;
  return number === 0 ? "" : `${Math.min(number, MOST_COUNTED)}${isMore ? "+" : ""}`;
}

/* Notifies and sounds, where that is on, once in all tabs together by the `key` of what is announced. */
export function notify(title, text, kind, key) {
  canNotify() && once(`notification ${key}`, () => show(title, text, key));
  canSound() && once(`sound ${key}`, () => play(kind));
}
