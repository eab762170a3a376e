/* The newest entries of the ledger, each a link to all that there is to say of it. */
(() => {
  "use strict";

  const { make, moment } = window.balanceAtoms;

  const NEWEST = 9;
  const PAUSE_MS = 100;
  const RETRY_MS = 4000;
  const FETCH_TIMEOUT_MS = 8000;

  let looked = false;
  let version = null; // the account and revision that were asked for
  let asked = 0;
  let timer = null;

  const place = () => document.getElementById("overview-ledger");
  const versionOf = (snapshot) => snapshot && `${snapshot.account}.${snapshot.revision}`;

  function cell(className, ...children) {
    return make("td", { class: className }, ...children);
  }

  function row({ place: at, time, note, display }) {
    const href = `/history?entry=${encodeURIComponent(at)}`;
    const amount = cell("number pnl-figure", display.amount);
    amount.dataset.tone = display.tone;
    return make(
      "tr",
      {},
      cell("when", moment(time)),
      cell("what", make("a", { href }, display.kind)),
      make("td", { class: "note", title: note }, note),
      amount,
      cell("number after", display.balance),
    );
  }

  const HEADS = [
    ["When", ""],
    ["What", ""],
    ["Note", "note"],
    ["Amount", "number"],
    ["Balance after", "number after"],
  ];

  function table(rows) {
    const heads = HEADS.map(([words, name]) => make("th", { scope: "col", class: name }, words));
    return make(
      "table",
      { class: "ledger" },
      make("thead", {}, make("tr", {}, ...heads)),
      make("tbody", {}, ...rows.map(row)),
    );
  }

  function show(rows) {
    // who stands on an entry stands on it still when a newer one comes
    const href = document.activeElement?.closest("#overview-ledger a")?.getAttribute("href");
    place().replaceChildren(table(rows));
    href && place().querySelector(`a[href="${href}"]`)?.focus();
  }

  async function load() {
    timer = null;
    const number = ++asked;
    version = versionOf(window.balanceState.snapshot);
    try {
      const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
      const response = await fetch(`/history/ledger?limit=${NEWEST}`, { cache: "no-store", signal });
      const answer = await response.json();
      if (number !== asked) {
        return;
      }
      if (response.ok) {
        show(answer.rows);
      } else {
        place().replaceChildren(make("p", { class: "problem", role: "alert" }, answer.detail));
      }
    } catch {
      // the strip over the tabs says that the server is gone
      loadAfter(RETRY_MS);
    }
  }

  function loadAfter(pause) {
    clearTimeout(timer);
    timer = setTimeout(load, pause);
  }

  function follow(snapshot) {
    if (looked && versionOf(snapshot) !== version) {
      version = versionOf(snapshot);
      loadAfter(PAUSE_MS);
    }
  }

  /* The tab is come to, or left. */
  function look(path) {
    looked = path === "/";
    if (looked && (version === null || versionOf(window.balanceState.snapshot) !== version)) {
      load();
    }
  }

  window.balanceState.follow(follow);
  window.balanceScreen.follow(look);
})();
