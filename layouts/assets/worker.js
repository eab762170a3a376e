/* The one connection of all pages of a browser, which opens six to a server at once: a SharedWorker sends each
 * of them what comes.
 */
import { listen } from "./stream.js";

const ports = new Set();
const newest = new Map(); // of each kind that says how something is
let last = null;

self.onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => data === "bye" && ports.delete(port);
  ports.add(port);
  newest.forEach((message) => port.postMessage(message));
  last?.kind === "down" && port.postMessage(last);
};

listen((message) => {
  const { kind } = message;
  last = message;
  if (kind !== "heartbeat" && kind !== "down") {
    // a fault stands in the place of a snapshot
    newest.set(kind === "fault" ? "snapshot" : kind, message);
  }
  ports.forEach((port) => port.postMessage(message));
});
