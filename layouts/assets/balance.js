/* The one way of the balance through the page: what the stream, the interval and the Sync buttons
 * bring goes into balance-store through `receive`, and from there to every live component through
 * `fanOut`.
 */
(() => {
  "use strict";

  const FETCH_TIMEOUT_MS = 4000;

  // the newest snapshot, how it comes here, and what keeps it from being read
  let snapshot = null;
  let link = { state: "polling", at: null };
  let fault = null;
  let etag = null;
  let streaming = false;
  let confirmed = null; // when the shown snapshot was last known to be the newest, in ms
  let pushes = 0;

  const noUpdate = () => window.dash_clientside.no_update;

  function isNewer(candidate) {
    if (snapshot === null || candidate.account !== snapshot.account) {
      return true;
    }
    if (candidate.revision !== snapshot.revision) {
      return candidate.revision > snapshot.revision;
    }
    // ticks count within one server process
    return candidate.instance !== snapshot.instance || candidate.tick >= snapshot.tick;
  }

  function accept(candidate) {
    if (isNewer(candidate)) {
      snapshot = candidate;
    }
    fault = null;
    confirm();
  }

  function confirm() {
    confirmed = Date.now();
    link = { ...link, at: new Date(confirmed).toISOString() };
  }

  function view() {
    return { ...(snapshot ?? {}), link, fault };
  }

  // wakes the one callback, which then shows the state of this module
  function push() {
    pushes += 1;
    window.dash_clientside.set_props("balance-push", { data: pushes });
  }

  function hear(message) {
    if (message.kind === "down") {
      streaming = false;
      refresh().then(push);
      return;
    }
    const wasStreaming = streaming;
    streaming = true;
    if (message.kind === "beat") {
      hearBeat(JSON.parse(message.text), wasStreaming);
      return;
    }
    link = { ...link, state: "live" };
    if (message.kind === "fault") {
      fault = JSON.parse(message.text).detail;
    } else {
      accept(JSON.parse(message.text));
    }
    push();
  }

  function hearBeat({ revision }, wasStreaming) {
    const missed = snapshot !== null && revision > snapshot.revision;
    if (missed || !wasStreaming) {
      refresh().then(push);
    } else if (fault === null) {
      confirm();
    }
  }

  async function refresh() {
    try {
      const response = await fetch("/virtual_balance", {
        headers: etag ? { "If-None-Match": etag } : {},
        cache: "no-store",
        signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
      });
      await take(response);
      link = { ...link, state: streaming ? "live" : "polling" };
    } catch {
      link = { ...link, state: "offline" };
    }
  }

  async function take(response) {
    if (response.status === 304) {
      fault = null;
      confirm();
      return;
    }
    const body = await response.json();
    if (response.ok) {
      etag = response.headers.get("ETag");
      accept(body);
    } else {
      etag = null;
      fault = body.detail;
    }
  }

  function syncWords(before) {
    if (link.state === "offline") {
      return ["The server does not answer. Nothing was fetched; start it again.", "error"];
    }
    if (fault !== null) {
      return [fault, "error"];
    }
    const now = `revision ${snapshot.revision}. Balance ${snapshot.display.balance}.`;
    return before === snapshot.revision
      ? [`In sync, ${now}`, "info"]
      : [`Was at revision ${before ?? "none"}, now in sync, ${now}`, "info"];
  }

  async function sync() {
    const before = snapshot?.revision;
    await refresh();
    window.balanceScreen.toast(...syncWords(before));
    return view();
  }

  /* The sole writer of balance-store. */
  async function receive(intervals, pushed, ...rest) {
    const woken = window.dash_clientside.callback_context.triggered_id;
    if (woken === undefined) {
      return begin(rest.at(-1));
    }
    if (woken.endsWith("-sync-balance-btn")) {
      return sync();
    }
    if (woken === "balance-push") {
      return view();
    }
    if (streaming) {
      return noUpdate();
    }
    await refresh();
    return view();
  }

  function begin(store) {
    // a page that comes back from the browser's cache already knows more than its layout
    if (snapshot === null && store.revision !== undefined) {
      const { link: _, fault: __, ...first } = store;
      snapshot = first;
      confirmed = Date.now();
    }
    fault = store.fault ?? null;
    window.listenToBalance(hear);
    return noUpdate();
  }

  const shown = {};

  /* Feeds every live component, two outputs each, its text and its tone; what did not change is
   * not touched. */
  function fanOut(store) {
    const outputs = window.dash_clientside.callback_context.outputs_list;
    const updates = outputs.map(noUpdate);
    for (let place = 0; place < outputs.length; place += 2) {
      const { id } = outputs[place];
      const element = document.getElementById(id);
      const text = store.display?.[element?.dataset.live];
      if (text !== undefined && shown[id] !== text) {
        if (shown[id] !== undefined) {
          window.balanceScreen.flash(element);
        }
        shown[id] = text;
        updates[place] = text;
        updates[place + 1] = { "+": "gain", "-": "loss" }[text[0]] ?? "flat";
      }
    }
    return updates;
  }

  /* Says on every tab how live the numbers are, and what is wrong. */
  function showLink(store) {
    const words = { live: "Live", polling: "Polling", offline: "Offline" };
    const state = store.link.state;
    const balance = store.display?.balance;
    document.title = balance ? `${balance} · Virtual Balance` : "Virtual Balance";
    const note =
      state === "offline"
        ? `The server does not answer. These figures are from ${window.balanceScreen.clock(
            store.link.at,
          )}; they follow by themselves when it is back.`
        : "";
    return [words[state], state, store.fault ? "fault" : state, note, store.fault ?? ""];
  }

  // what a page that changed the balance itself was answered
  window.balanceState = {
    accept(answer) {
      accept(answer);
      push();
    },
    get confirmed() {
      return confirmed;
    },
  };
  window.dash_clientside = { ...window.dash_clientside, balance: { receive, fanOut, showLink } };
})();
