/* What only a browser can do for a backtest: take a file, and move the focus where a button goes. */
import { onArrival } from "../arrivals.js";
import { register } from "../clientside.js";
import { fetchJson } from "../requests.js";

const LARGEST = 16 * 1024 * 1024;
// longer than a callback of Dash may take
const TIMEOUT_MS = 30_000;
const TYPES = { json: "application/json", zip: "application/zip", gz: "application/gzip" };

const field = document.createElement("input");
field.className = "form-control";
Object.assign(field, { id: "backtest-file", type: "file", accept: ".csv,.txt,.tsv,.json,.zip,.gz,text/csv" });

const put = (id, properties) => window.dash_clientside.set_props(id, properties);
let choices = 0;
field.onchange = () => put("backtest-file-place", { "data-chosen": String(++choices) });

// the file stays chosen when the dialog is opened again
const place = (where) => where.append(field);
document.querySelectorAll("#backtest-file-place").forEach(place);
onArrival("#backtest-file-place", place);

/* Which fields of a source of candles are hidden, and that nothing is wrong. */
const showSource = (source) => [source !== "feed", source !== "file", source !== "file", ""];

/* Sends the chosen file: [what is in it, what is wrong]. Dash drops the answer of an earlier call. */
async function sendCandles(_, dates, { settings }) {
  const say = (text) => put("backtest-file-words", { children: text });
  const [file] = field.files;
  say("");
  if (file === undefined) {
    return [null, ""];
  }
  if (file.size > LARGEST) {
    const size = (file.size / 1024 / 1024).toFixed(1);
    return [null, `${file.name} has ${size} MiB; the most is 16. Cut it into parts by time.`];
  }
  put("backtest-candles", { data: null });
  put("backtest-error", { children: "" });
  say(`Reading ${file.name}…`);
  const params = { name: file.name, symbol: settings.symbol, ...(dates !== "file" && { date_format: dates }) };
  const [answer, wrong] = await fetchJson(`/candles?${new URLSearchParams(params)}`, {
    method: "POST",
    headers: { "Content-Type": TYPES[file.name.split(".").at(-1)] ?? "text/csv" },
    body: file,
    timeout: TIMEOUT_MS,
  });
  wrong && say("");
  return [answer?.file ?? null, wrong];
}

/* Whether something runs, whether its progress is hidden, and whether nobody polls for it. */
function showRunning(running) {
  const isRunning = typeof running === "string";
  const [shown, hidden] = isRunning ? ["cancel", "run"] : ["run", "cancel"];
  // it is lost where its button was disabled
  if (document.activeElement?.matches(`#backtest-${hidden}, body, .modal`)) {
    requestAnimationFrame(() => document.getElementById(`backtest-${shown}`)?.focus());
  }
  return [String(isRunning), !isRunning, !isRunning];
}

register({ showSource, sendCandles, showRunning });
