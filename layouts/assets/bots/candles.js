/* What only a browser can do for a backtest: send a file, and move the focus where a button goes. */
import { onArrival } from "../arrivals.js";
import { register } from "../clientside.js";
import { fetchJson } from "../requests.js";

const MOST_MIB = 16; // as in balance/api/backtests.py
// longer than a callback of Dash may take
const TIMEOUT_MS = 30_000;
// the server looks into the file itself
const HEADERS = { "Content-Type": "text/csv" };

const field = document.createElement("input");
field.className = "form-control";
Object.assign(field, { id: "backtest-file", type: "file", accept: ".csv,.txt,.tsv,.json,.zip,.gz,text/csv" });

const put = (id, properties) => window.dash_clientside.set_props(id, properties);
field.onchange = () => put("backtest-file-place", { "data-chosen": String(Date.now()) });

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
  const size = file.size / 1024 ** 2;
  if (size > MOST_MIB) {
    return [null, `${file.name} has ${size.toFixed(1)} MiB; the most is ${MOST_MIB}. Cut it into parts by time.`];
  }
  put("backtest-candles", { data: null });
  put("backtest-error", { children: "" });
  say(`Reading ${file.name}…`);
  const params = { name: file.name, symbol: settings.symbol, ...(dates !== "file" && { date_format: dates }) };
  const options = { method: "POST", headers: HEADERS, body: file, timeout: TIMEOUT_MS };
  const [answer, wrong] = await fetchJson(`/candles?${new URLSearchParams(params)}`, options);
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
