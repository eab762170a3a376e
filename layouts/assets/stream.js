/* The stream of snapshots, held once for all tabs of a browser.
 *
 * This file runs twice: as a SharedWorker, which holds the one connection and tells every tab what
 * comes; and in the page, which asks the worker or, where there is none, holds a connection itself.
 * What listeners get: {kind: "snapshot" | "fault" | one of EVENTS, text} as it came, "beat", or "down" when it
 * broke.
 */
(() => {
  "use strict";

  // of this file, which the server has below its own path
  const script = typeof document === "undefined" ? self.location.href : document.currentScript.src;
  const STREAM = script.replace(/\/assets\/.*/, "/virtual_balance/stream");
  // the server speaks every 2 s: after this long the connection is dead, whatever it says itself
  const SILENCE_MS = 7000;
  const RETRY_MS = 2000;
  // what is sent beside the account
  const EVENTS = ["bots", "settings", "alerts", "damage", "takeover", "keys"];

  function listen(tell) {
    let source = null;
    let heard = 0;
    let retry = null;
    let down = false;

    function hear(kind) {
      return (event) => {
        heard = Date.now();
        down = false;
        tell({ kind, text: event.data });
      };
    }

    function lost() {
      if (!down) {
        down = true;
        tell({ kind: "down" });
      }
    }

    function broken() {
      lost();
      // a refused stream is given up by the browser, a broken one it opens again by itself
      if (source.readyState === EventSource.CLOSED && retry === null) {
        retry = setTimeout(connect, RETRY_MS);
      }
    }

    function connect() {
      clearTimeout(retry);
      retry = null;
      source?.close();
      heard = Date.now();
      source = new EventSource(STREAM);
      source.onmessage = hear("snapshot");
      source.addEventListener("fault", hear("fault"));
      EVENTS.forEach((name) => source.addEventListener(name, hear(name)));
      source.addEventListener("heartbeat", hear("beat"));
      source.onerror = broken;
    }

    function check() {
      if (Date.now() - heard > SILENCE_MS && retry === null) {
        lost();
        connect();
      }
    }

    connect();
    setInterval(check, 1000);
  }

  if (typeof SharedWorkerGlobalScope !== "undefined" && self instanceof SharedWorkerGlobalScope) {
    const ports = new Set();
    let news = null; // the newest snapshot or fault
    const events = new Map(); // the newest of each of the others
    let last = null; // the newest message of any kind
    self.onconnect = ({ ports: [port] }) => {
      port.onmessage = ({ data }) => data === "bye" && ports.delete(port);
      ports.add(port);
      [news, ...events.values()].filter(Boolean).forEach((message) => port.postMessage(message));
      if (last?.kind === "down") {
        port.postMessage(last);
      }
    };
    listen((message) => {
      last = message;
      if (EVENTS.includes(message.kind)) {
        events.set(message.kind, message);
      } else if (message.kind === "snapshot" || message.kind === "fault") {
        news = message;
      }
      ports.forEach((port) => port.postMessage(message));
    });
    return;
  }

  function throughWorker(tell) {
    const worker = new SharedWorker(script, { name: "virtual-balance" });
    worker.port.onmessage = ({ data }) => tell(data);
    worker.port.start();
    window.addEventListener("pagehide", () => worker.port.postMessage("bye"), { once: true });
  }

  // tell is called with every message, from now on until the page is gone
  window.listenToBalance = (tell) => {
    if (typeof SharedWorker === "undefined") {
      listen(tell);
      return;
    }
    throughWorker(tell);
    window.addEventListener("pageshow", (event) => event.persisted && throughWorker(tell));
  };
})();
