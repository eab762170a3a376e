/* Requests that change something: each with a key, so that one which got no answer can be sent
 * again without being done twice.
 */
import { at } from "./address.js";
import { acceptAnswer } from "./balance.js";
import { newKey } from "./dialogs.js";
import { chime } from "./notices/notices.js";
import { toast } from "./toasts.js";

const TIMEOUT_MS = 8000;
const GONE = "The server does not answer. Try again when it is back.";
const PREVIEW_TIMEOUT_MS = 4000;
const IN_FLIGHT = 409;

/* Fetches JSON: [the answer, "", its status] or [null, the problem in words, its status, which is null
 * where the server does not answer]. `timeout` is in ms, `revive` as of JSON.parse, the rest as of fetch.
 */
export async function fetchJson(path, { timeout = TIMEOUT_MS, signal = null, revive, ...options } = {}) {
  try {
    const signals = [AbortSignal.timeout(timeout), signal].filter(Boolean);
    const response = await fetch(at(path), { cache: "no-store", signal: AbortSignal.any(signals), ...options });
    const answer = JSON.parse(await response.text(), revive);
    return response.ok ? [answer, "", response.status] : [null, answer.detail, response.status];
  } catch {
    return [null, GONE, null];
  }
}

// the keys of requests of which it is not known whether they were done: each is repeated with its own
const keys = new Map();

function keyFor(request) {
  if (!keys.has(request)) {
    keys.set(request, newKey());
  }
  return keys.get(request);
}

// a fault of the server leaves it open, and so does a first sending that is still at work
const isSettled = ({ status }) => status !== IN_FLIGHT && status < 500;

/* `run`, but of one request at a time: who asks for the same meanwhile gets the same answer. */
function shared(run) {
  const running = new Map();
  return (method, path, body = "", headers = {}) => {
    const request = method + path + body;
    if (!running.has(request)) {
      const ended = () => running.delete(request);
      running.set(request, run(method, path, body, headers).finally(ended));
    }
    return running.get(request);
  };
}

/* Sends it: [done, words, the answer, whether it had been done before]. */
export const send = shared(async (method, path, body, headers) => {
  const request = method + path + body;
  try {
    const response = await fetch(at(path), {
      method,
      headers: {
        ...(body && { "Content-Type": "application/json" }),
        "Idempotency-Key": keyFor(request),
        ...headers,
      },
      body: body || undefined,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = await response.json();
    isSettled(response) && keys.delete(request);
    if (!response.ok) {
      return [false, answer.detail, answer];
    }
    // a change of the account is answered with a snapshot, one of a bot is not
    if (answer.revision !== undefined) {
      acceptAnswer(answer);
    }
    // what the market fills later comes with its news
    answer.order?.status === "filled" && chime("fill");
    const wasDone = response.headers.get("Idempotency-Replayed") === "true";
    const words = wasDone ? `It was done the first time. ${answer.message}` : answer.message;
    return [true, words, answer, wasDone];
  } catch {
    return [
      false,
      "The server does not answer, so it is not known whether this was done. " +
        "Try again when it is back: it will not be done twice.",
      null,
    ];
  }
});

/* Sends it and tells what came of it in a toast: [done, what went wrong]. */
export const carryOut = shared(async (method, path, body, headers) => {
  const [done, words] = await send(method, path, body, headers);
  toast(words, done ? "info" : "error");
  return [done, done ? "" : words];
});

/* What the order `body` would do if it was sent to `path`: [the preview, what is wrong]. Without an
 * answer neither is known, and the strip over the tabs says so. */
export async function previewed(body, path = "/orders") {
  const [answer, problem, status] = await fetchJson(`${path}/preview`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body,
    timeout: PREVIEW_TIMEOUT_MS,
  });
  return [answer, status === null ? "" : problem];
}

