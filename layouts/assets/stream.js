/* The events that the server sends: to a page by way of its browser's worker or, where there is none, over a
 * connection of its own.
 */
const WORKER = new URL("./worker.js", import.meta.url);
// of this module, which the server has below its own path
const STREAM = import.meta.url.replace(/\/js\/.*/, "/virtual_balance/stream");
// the server speaks every 2 s: after this long the connection is dead, whatever it says itself
const SILENCE_MS = 7000;
const RETRY_MS = 2000;
const BESIDE_THE_ACCOUNT = ["bots", "settings", "alerts", "damage", "takeover", "keys", "performance"];

/* Has `hear` called with {kind, text} of each event, over one connection that is opened again whenever it
 * breaks: a "snapshot", a "fault", a "heartbeat", what is sent beside the account, or "down" once it broke. */
export function listen(hear) {
  let source = null;
  let heard = 0; // when something came last
  let retry = null;
  let isDown = false;

  function take({ type, data }) {
    heard = Date.now();
    isDown = false;
    hear({ kind: type === "message" ? "snapshot" : type, text: data });
  }

  function lose() {
    isDown || hear({ kind: "down" });
    isDown = true;
  }

  function connect() {
    clearTimeout(retry);
    retry = null;
    source?.close();
    heard = Date.now();
    source = new EventSource(STREAM);
    ["message", "fault", "heartbeat", ...BESIDE_THE_ACCOUNT].forEach((type) => source.addEventListener(type, take));
    source.onerror = () => {
      lose();
      // a refused stream is given up by the browser, a broken one it opens again by itself
      if (source.readyState === EventSource.CLOSED) {
        retry ??= setTimeout(connect, RETRY_MS);
      }
    };
  }

  connect();
  setInterval(() => {
    if (Date.now() - heard > SILENCE_MS && retry === null) {
      lose();
      connect();
    }
  }, 1000);
}

function throughWorker(hear) {
  const { port } = new SharedWorker(WORKER, { name: "virtual-balance", type: "module" });
  port.onmessage = ({ data }) => hear(data);
  port.start();
  window.addEventListener("pagehide", () => port.postMessage("bye"), { once: true });
}

/* Has `hear` called as `listen` does, from now on until the page is gone. */
export function listenTogether(hear) {
  if (typeof SharedWorker === "undefined") {
    listen(hear);
    return;
  }
  throughWorker(hear);
  window.addEventListener("pageshow", (event) => event.persisted && throughWorker(hear));
}
