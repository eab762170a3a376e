/* Requests of the page, those of Dash among them. What changes something has a key, so that it can be sent
 * again where it got no answer, without being done twice.
 */
import { at } from "./address.js";
import { toast } from "./toasts.js";

const TIMEOUT_MS = 8000;
const IN_FLIGHT = 409;
const DASH = "/_dash-update-component";
const GONE = "The server does not answer. Try again when it is back.";
const UNKNOWN =
  "The server does not answer, so it is not known whether this was done. " +
  "Try again when it is back: it will not be done twice.";

// crypto.randomUUID is only for this machine's own pages
const newKey = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

const original = window.fetch;
const answered = []; // what is called when something may have been changed
const failed = []; // what is called when a request of Dash came to nothing

/* Has `run` called with the answer to each request that changed something; of what a dialog of Dash did,
 * it is null. */
export function onAnswer(run) {
  answered.push(run);
}

/* Has `run` called when a request of Dash got no answer, so that nothing has changed. */
export function onFailure(run) {
  failed.push(run);
}

/* Fetches JSON: [the answer, "", its status, its headers] or [null, the problem, its status], which is
 * null where the server does not answer. `timeout` is in ms, the rest as of fetch; a `body` is JSON.
 */
export async function fetchJson(path, { timeout = TIMEOUT_MS, headers, ...options } = {}) {
  try {
    const response = await fetch(at(path), {
      cache: "no-store",
      signal: AbortSignal.timeout(timeout),
      headers: { ...(options.body && { "Content-Type": "application/json" }), ...headers },
      ...options,
    });
    const { ok, status } = response;
    const answer = await response.json();
    return ok ? [answer, "", status, response.headers] : [null, answer.detail, status, response.headers];
  } catch {
    return [null, GONE, null];
  }
}

/* `run`, but of one request at a time: what is requested again meanwhile, by its name, has the same answer. */
function shared(run, nameOf) {
  const running = new Map();
  return (...request) => {
    const name = nameOf(...request);
    if (!running.has(name)) {
      running.set(name, run(...request).finally(() => running.delete(name)));
    }
    return running.get(name);
  };
}

const nameOf = (method, path, body = "") => method + path + body;

// the keys of requests of which it is not known whether they were done: each is repeated with its own
const keys = new Map();

/* Sends it: [done, the message, the answer]. */
export const send = shared(async (method, path, body = "") => {
  const request = nameOf(method, path, body);
  keys.has(request) || keys.set(request, newKey());
  const options = { method, headers: { "Idempotency-Key": keys.get(request) }, body: body || undefined };
  const [answer, problem, status, headers] = await fetchJson(path, options);
  if (status === null) {
    return [false, UNKNOWN, null];
  }
  // a fault of the server leaves it open, and so does a first sending that is still at work
  if (status !== IN_FLIGHT && status < 500) {
    keys.delete(request);
  }
  if (answer === null) {
    return [false, problem, {}];
  }
  answered.forEach((run) => run(answer));
  const wasDone = headers.get("Idempotency-Replayed") === "true";
  return [true, wasDone ? `It was done the first time. ${answer.message}` : answer.message, answer];
}, nameOf);

/* The name of the dialog that sends this, and what it sends; a dialog has a key for it in its state. */
function sentBy({ output, inputs, state = [] }) {
  const key = state.flat().find(({ id }) => typeof id === "string" && id.endsWith("-key"));
  if (key === undefined) {
    return [null, null];
  }
  const pressed = inputs.flat().filter(({ property }) => property === "data");
  // pressed again, it is sent alike
  const sent = JSON.stringify([output, pressed, state], (name, value) => (name === "press" ? undefined : value));
  return [key.id.slice(0, -"-key".length), sent];
}

let gone = null; // the toast that says that the server does not answer

function explainFault(dialog, message) {
  // the buttons of a row have no place for it
  if (document.getElementById(`${dialog}-error`)) {
    window.dash_clientside.set_props(`${dialog}-error`, { children: message });
  } else if (message !== GONE) {
    toast(message, "error");
  } else if (!gone?.isConnected) {
    // a tab that is come to may have sent several
    gone = toast(message, "error");
  }
}

/* The answer to a request of Dash, which itself waits for ever for a server that is gone, and says nothing;
 * where there is none, one that changes nothing. */
async function answerDash(resource, options, dialog) {
  try {
    const response = await original(resource, { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) });
    dialog === null || answered.forEach((run) => run(null));
    // all of it within that time: Dash would fail in the middle of it
    const text = await response.text();
    if (response.ok) {
      return new Response(text || null, { status: response.status, headers: response.headers });
    }
    explainFault(dialog, JSON.parse(text).detail);
  } catch {
    explainFault(dialog, dialog === null ? GONE : UNKNOWN);
  }
  failed.forEach((run) => run());
  return new Response(null, { status: 204 });
}

// however often a dialog is confirmed, it is sent once until that is answered
const answerDialog = shared(answerDash, (resource, options, dialog, sent) => sent);

window.fetch = async (resource, options) => {
  if (!String(resource).includes(DASH)) {
    return original(resource, options);
  }
  const [dialog, sent] = sentBy(JSON.parse(options.body));
  const answer = dialog === null ? answerDash : answerDialog;
  return (await answer(resource, options, dialog, sent)).clone();
};
