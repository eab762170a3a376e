/* Says that the server has taken over from another one that has ended, to whoever had the page open. */
import { hearEvent } from "../balance.js";
import { remove, toast } from "../toasts.js";

let known = performance.timeOrigin; // when the last one was that needs no words
let box = null;

function say({ version, message }) {
  if (version > known) {
    known = version;
    box && remove(box);
    box = toast(message, "info", { stays: true });
  }
}

hearEvent("takeover", { hear: (text) => say(JSON.parse(text)), refresh() {} });
