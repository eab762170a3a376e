/* The events that the server sends, over one connection that is opened again whenever it breaks. */

// of this module, which the server has below its own path
const STREAM = import.meta.url.replace(/\/js\/.*/, "/virtual_balance/stream");
// the server speaks every 2 s: after this long the connection is dead, whatever it says itself
const SILENCE_MS = 7000;
const RETRY_MS = 2000;
/* What is sent beside the account. */
export const EVENTS = ["bots", "settings", "alerts", "damage", "takeover", "keys", "performance"];

/* Has `tell` called with {kind: "snapshot" | "fault" | one of EVENTS, text} as it came, "beat", or "down"
 * when the connection broke. */
export function listen(tell) {
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
