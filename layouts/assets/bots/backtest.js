/* The dialog that runs a bot's settings over the past: this feed's, or a file of candles. */
(() => {
  "use strict";

  const { make, button, field, numberInput, select, choice, dialog } = window.balanceAtoms;

  const POLL_MS = 300;
  const LARGEST_FILE = 16 * 1024 * 1024;
  const HOURS = [
    ["6", "the last 6 hours"],
    ["24", "the last 24 hours"],
    ["72", "the last 3 days"],
    ["", "all there is"],
  ];
  const SOURCES = [
    ["feed", "This feed's past"],
    ["file", "A CSV file"],
  ];
  const gone = "The server does not answer. Try again when it is back.";

  let made = null;
  let settings = null; // what is tested
  let source = "feed";
  let file = null; // the file that the server has
  let running = null; // the id of what runs
  let asked = 0; // counts what was asked for; what came of an older question is dropped

  const place = (id) => document.getElementById(`backtest-${id}`);
  const error = (words) => window.balanceLive.write(place("dialog-error"), words);

  const say = (words) => window.balanceLive.write(place("words"), words);

  // what came of the one before is not that of the next
  function clear() {
    say("");
    place("result").replaceChildren();
  }

  /* Asks, as fetch does: [answer, what went wrong]. */
  async function ask(path, how = {}) {
    try {
      const signal = AbortSignal.timeout(30000);
      const response = await fetch(path, { cache: "no-store", signal, ...how });
      const answer = await response.json();
      return response.ok ? [answer, ""] : [null, answer.detail];
    } catch {
      return [null, gone];
    }
  }

  function showRunning(words, progress = null) {
    place("run").hidden = running !== null;
    place("cancel").hidden = running === null;
    place("progress").hidden = running === null;
    if (progress !== null) {
      place("bar").value = progress;
    }
    window.balanceLive.write(place("percent"), words);
  }

  function end(words = "") {
    running = null;
    showRunning("");
    error(words);
  }

  function show({ id, state, progress, words, result }) {
    if (state === "running") {
      running = id;
      showRunning(words || `${Math.floor(progress * 100)}%`, progress);
      return;
    }
    end(state === "failed" ? words : "");
    if (state === "cancelled") {
      say("Cancelled.");
    } else if (state === "done") {
      const { drawn, spanOf } = window.balanceReport;
      say([spanOf(result), words, result.stopped_because].filter(Boolean).join(" "));
      place("result").replaceChildren(...drawn(result));
    }
  }

  // follows it to its end, unless something else was asked for meanwhile
  async function watch(number, backtest) {
    let fault = "";
    while (number === asked && backtest.state === "running") {
      show(backtest);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      const [answer, wrong] = number === asked ? await ask(`/backtests/${backtest.id}`) : [null, ""];
      fault = wrong;
      backtest = answer?.backtest ?? { ...backtest, state: wrong ? "lost" : backtest.state };
    }
    if (number === asked) {
      show(backtest);
      fault && error(fault);
    }
  }

  function body() {
    const balance = window.balanceRequests.jsonNumber(place("balance").value);
    if (balance === null) {
      return [null, "Enter the starting balance with digits and a point, such as 10000."];
    }
    if (source === "file" && file === null) {
      return [null, "Choose a file of candles first."];
    }
    const hours = place("hours").value;
    const wanted = source === "file" ? { file: file.id } : hours ? { hours: Number(hours) } : {};
    const symbol = (source === "file" && file.symbol) || settings.symbol;
    const members = JSON.stringify({ ...settings, symbol, ...wanted });
    return [`${members.slice(0, -1)}, "balance": ${balance}}`, ""];
  }

  async function run() {
    const [members, wrong] = body();
    error(wrong);
    if (wrong || running !== null) {
      return;
    }
    const number = ++asked;
    clear();
    running = "";
    showRunning("Starting…", 0);
    const headers = { "Content-Type": "application/json" };
    const [answer, fault] = await ask("/backtests", { method: "POST", headers, body: members });
    if (fault) {
      number === asked && end(fault);
    } else if (number !== asked) {
      drop(answer.backtest.id);
    } else {
      await watch(number, answer.backtest);
    }
  }

  const drop = (id) => ask(`/backtests/${id}`, { method: "DELETE" });

  async function cancel() {
    const id = running;
    asked += 1;
    end();
    say("Cancelled.");
    id && drop(id);
    place("run").focus();
  }

  function fileWords({ name, symbol, candles, seconds, from, to }) {
    const count = candles.toLocaleString("en-US");
    const { day } = window.balanceCurves;
    const what = symbol ? ` of ${symbol}` : "";
    return `${name}: ${count} candles${what} of ${seconds / 60} min, ${day(from)} to ${day(to)} UTC.`;
  }

  async function upload() {
    const chosen = place("file").files[0];
    file = null;
    error("");
    place("file-words").textContent = "";
    if (chosen === undefined) {
      return;
    }
    if (chosen.size > LARGEST_FILE) {
      const size = (chosen.size / 1024 / 1024).toFixed(1);
      error(`${chosen.name} has ${size} MiB; the most is 16. Cut it into parts by time.`);
      return;
    }
    place("file-words").textContent = `Reading ${chosen.name}…`;
    const [answer, wrong] = await ask(`/candles?${new URLSearchParams({ name: chosen.name })}`, {
      method: "POST",
      headers: { "Content-Type": "text/csv" },
      body: chosen,
    });
    if (chosen === place("file").files[0]) {
      file = answer?.file ?? null;
      place("file-words").textContent = file === null ? "" : fileWords(file);
      error(wrong);
    }
  }

  function chooseSource(name) {
    source = name;
    place("hours-field").hidden = name !== "feed";
    place("file-field").hidden = name !== "file";
    error("");
  }

  function parts() {
    const hours = field("How much of it", select("backtest-hours", HOURS), "", "field words");
    const input = { id: "backtest-file", type: "file", accept: ".csv,text/csv", class: "form-control" };
    const words = make("div", { class: "hint", id: "backtest-file-words", role: "status" });
    const files = field("File", make("input", { ...input, onchange: upload }), "", "field words");
    files.append(words);
    hours.id = "backtest-hours-field";
    files.id = "backtest-file-field";
    files.hidden = true;
    const balance = numberInput("backtest-balance", { unit: "USDT", min: 0, value: 10000 });
    return make(
      "div",
      { class: "backtest-asked" },
      choice("backtest-source", "Candles", SOURCES, chooseSource),
      hours,
      files,
      field("Starting balance", balance),
      make(
        "div",
        { class: "backtest-run" },
        button("Run", "play-fill", { type: "submit", id: "backtest-run" }, "primary"),
        button("Cancel", "x-circle", { id: "backtest-cancel", hidden: true, onclick: cancel }),
      ),
    );
  }

  function build() {
    const bar = { id: "backtest-bar", max: 1, value: 0, "aria-label": "Progress" };
    made = dialog("backtest-dialog", {
      title: "Backtest",
      wide: true,
      body: [
        make("p", { class: "dialog-words", id: "backtest-what" }),
        parts(),
        make(
          "div",
          { id: "backtest-progress", hidden: true },
          make("progress", bar),
          make("span", { id: "backtest-percent" }),
        ),
        make("p", { class: "dialog-words", id: "backtest-words", role: "status" }),
        make("div", { id: "backtest-result" }),
      ],
      foot: [button("Close", "", { "data-close": true })],
      onsubmit: run,
    });
    // nobody waits for it any more
    made.addEventListener("close", () => {
      asked += 1;
      running && drop(running);
      running = null;
    });
    place("hours").value = "24";
  }

  function words({ name, symbol, timeframe, stake, stake_unit: unit, leverage }, strategy) {
    const size = unit === "usdt" ? `${stake} USDT` : `${stake}%`;
    return `${name}: ${strategy} on ${symbol}, candles of ${timeframe}, ${size} at ${leverage}x.`;
  }

  /* Opens it for the settings of a bot, whether there is one or not; `strategy` is its own in words. */
  function open(wanted, strategy) {
    made ?? build();
    settings = wanted;
    place("what").textContent = words(wanted, strategy);
    clear();
    end();
    made.showModal();
    place("run").focus();
  }

  window.balanceBacktest = { open };
})();
