/* The one connection of all tabs of a browser, which asks a server for six things at once: a SharedWorker
 * tells every tab what comes.
 */
import { EVENTS, listen } from "./events.js";

const ports = new Set();
const events = new Map(); // the newest of each that is sent beside the account
let account = null; // the newest snapshot or fault
let last = null; // the newest message of any kind

self.onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => data === "bye" && ports.delete(port);
  ports.add(port);
  [account, ...events.values()].filter(Boolean).forEach((message) => port.postMessage(message));
  if (last?.kind === "down") {
    port.postMessage(last);
  }
};

listen((message) => {
  last = message;
  if (EVENTS.includes(message.kind)) {
    events.set(message.kind, message);
  } else if (message.kind === "snapshot" || message.kind === "fault") {
    account = message;
  }
  ports.forEach((port) => port.postMessage(message));
});
