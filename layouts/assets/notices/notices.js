/* Notices beyond the page: the browser's own notifications, and short sounds, where the settings have
 * them on. What every tab receives is announced by one tab of the browser only.
 */
import { at } from "../address.js";
import { setting } from "../settings/settings.js";
import { followToasts } from "../toasts.js";

const ANNOUNCED = "notices-told";
const KEPT_MS = 3600000;
const HELD_MS = 60000;
const LOUDNESS = 0.08;
// [pitch in Hz, when it begins, how long it lasts in s]
const SOUNDS = {
  fill: [[880, 0, 0.1]],
  alert: [
    [660, 0, 0.12],
    [990, 0.14, 0.2],
  ],
  liquidation: [
    [440, 0, 0.16],
    [330, 0.18, 0.32],
  ],
};

let context = null;
let number = 0;

const canNotify = () => setting("notifications") && window.Notification?.permission === "granted";
// a browser lets a page sound only once somebody has used it
const canSound = () => setting("sound") && navigator.userActivation?.hasBeenActive !== false;

/* Whether no tab has announced `key` before this one does now. */
function take(key) {
  const now = Date.now();
  const before = JSON.parse(localStorage.getItem(ANNOUNCED) ?? "{}");
  const known = Object.entries(before).filter(([, when]) => now - when < KEPT_MS);
  localStorage.setItem(ANNOUNCED, JSON.stringify(Object.fromEntries([...known, [key, now]])));
  return known.every(([each]) => each !== key);
}

/* Whether this tab is the first of the browser that is to announce `key`. What a tab has stored reaches
 * the others a little later, so it holds a lock until it surely has. */
function claim(key) {
  // without a secure context there are no locks, and two tabs may announce one thing
  if (!navigator.locks) {
    return take(key);
  }
  return new Promise((resolve) => {
    navigator.locks.request(`balance-notices ${key}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null && take(key));
      return lock && new Promise((release) => setTimeout(release, HELD_MS));
    });
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
  for (const [pitch, begin, length] of SOUNDS[kind]) {
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
followToasts((kind) => kind === "fill" && canSound() && play(kind));

/* Notifies and sounds, where that is on. What has a `key` is announced once in all tabs together. */
export async function notify(title, text, kind, key = `${performance.timeOrigin} ${(number += 1)}`) {
  if (canNotify() && (await claim(`notification ${key}`))) {
    show(title, text, key);
  }
  if (canSound() && (await claim(`sound ${key}`))) {
    play(kind);
  }
}
