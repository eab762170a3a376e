/* What a backtest runs on: this feed's past, or a file of candles. */
import { page } from "../page.js";
import { balanceParts } from "../parts.js";
import { balanceBacktest } from "./backtest.js";
import { balanceCurves } from "./curves.js";

const { make, field, select, choice, symbolLabel } = balanceParts;

const LARGEST_FILE = 16 * 1024 * 1024;
const HOURS = [
  ["6", "the last 6 hours"],
  ["24", "the last 24 hours"],
  ["72", "the last 3 days"],
  ["", "all there is"],
];
const USUAL_HOURS = "24";
const SOURCES = [
  ["feed", "This feed's past"],
  ["file", "A file"],
];
const TYPES = { json: "application/json", zip: "application/zip", gz: "application/gzip" };
const DATES = [
  ["", "as the file says"],
  ["DD/MM/YYYY", "the day first"],
  ["MM/DD/YYYY", "the month first"],
];

let source = "feed";
let file = null; // the file that the server has

const place = (id) => document.getElementById(`backtest-${id}`);
const error = (words) => balanceBacktest.error(words);

function fileWords({ name, symbol, candles, seconds, from, to, notes }) {
  const count = candles.toLocaleString("en-US");
  const { day } = balanceCurves;
  const what = symbol ? ` of ${symbolLabel(symbol)}` : "";
  const length = `${seconds / 60} min, ${day(from)} to ${day(to)} UTC.`;
  return [`${name}: ${count} candles${what} of ${length}`, ...notes].join(" ");
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
  const dates = place("dates").value;
  const params = { name: chosen.name, symbol: balanceBacktest.symbol() };
  const path = `/candles?${new URLSearchParams(dates ? { ...params, date_format: dates } : params)}`;
  const [answer, wrong] = await balanceBacktest.ask(path, {
    method: "POST",
    headers: { "Content-Type": TYPES[chosen.name.split(".").at(-1)] ?? "text/csv" },
    body: chosen,
  });
  if (chosen === place("file").files[0] && dates === place("dates").value) {
    file = answer?.file ?? null;
    place("file-words").textContent = file === null ? "" : fileWords(file);
    error(wrong);
  }
}

function chooseSource(name) {
  source = name;
  place("hours-field").hidden = name !== "feed";
  place("file-field").hidden = name !== "file";
  place("dates-field").hidden = name !== "file";
  error("");
}

/* Its fields, as the elements of a form. */
function build() {
  const words = { className: "field words" };
  const accept = ".csv,.txt,.tsv,.json,.zip,.gz,text/csv";
  const input = { id: "backtest-file", type: "file", accept, class: "form-control" };
  const hours = field("How much of it", select("backtest-hours", HOURS), words);
  const files = field("File", make("input", { ...input, onchange: upload }), words);
  files.append(make("div", { class: "hint", id: "backtest-file-words", role: "status" }));
  hours.id = "backtest-hours-field";
  files.id = "backtest-file-field";
  files.hidden = true;
  const dates = field("Dates such as 03/02/2025", select("backtest-dates", DATES), words);
  dates.id = "backtest-dates-field";
  dates.hidden = true;
  dates.querySelector("select").addEventListener("change", upload);
  hours.querySelector("select").value = USUAL_HOURS;
  return [choice("backtest-source", "Candles", SOURCES, chooseSource), hours, files, dates];
}

/* What is chosen, as members of the request: [members, what is missing]. */
function chosen() {
  if (source === "feed") {
    const hours = place("hours").value;
    return [hours ? { hours: Number(hours) } : {}, ""];
  }
  if (file === null) {
    return [null, "Choose a file of candles first."];
  }
  return [file.symbol ? { file: file.id, symbol: file.symbol } : { file: file.id }, ""];
}

export const balanceBacktestSource = { build, chosen };
page.balanceBacktestSource = balanceBacktestSource;
