/* The page's side of the stream: by way of the worker or, where there is none, with a connection itself. */
import { listen } from "./events.js";

const WORKER = new URL("./worker.js", import.meta.url);

function throughWorker(tell) {
  const worker = new SharedWorker(WORKER, { name: "virtual-balance", type: "module" });
  worker.port.onmessage = ({ data }) => tell(data);
  worker.port.start();
  window.addEventListener("pagehide", () => worker.port.postMessage("bye"), { once: true });
}

/* Has `tell` called with every message, from now on until the page is gone. */
export function listenToBalance(tell) {
  if (typeof SharedWorker === "undefined") {
    listen(tell);
    return;
  }
  throughWorker(tell);
  window.addEventListener("pageshow", (event) => event.persisted && throughWorker(tell));
}
