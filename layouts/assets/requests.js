/* Requests of the page, those of Dash among them. What a dialog sends has a key, so that it can be sent again
 * where it got no answer, without being done twice.
 */
import { at } from "./address.js";
import { toast } from "./toasts.js";

const TIMEOUT_MS = 8000;
const DASH = "/_dash-update-component";
const GONE = "The server does not answer. Try again when it is back.";
const UNKNOWN =
  "The server does not answer, so it is not known whether this was done. " +
  "Try again when it is back: it will not be done twice.";

const original = window.fetch;
const ended = []; // what is called when something may have been changed
const failed = []; // what is called when a request of Dash came to nothing
const running = new Map(); // the answers that dialogs wait for, by what they have sent

/* Has `run` called when a request has ended that may have changed something. */
export function onEnd(run) {
  ended.push(run);
}

/* Has `run` called when a request of Dash got no answer, so that nothing has changed. */
export function onFailure(run) {
  failed.push(run);
}

/* Fetches JSON: [the answer, "", its status] or [null, the problem, its status], which is null where the
 * server does not answer. `timeout` is in ms, the rest as of fetch; a `body` is JSON.
 */
export async function fetchJson(path, { timeout = TIMEOUT_MS, ...options } = {}) {
  try {
    const response = await fetch(at(path), {
      cache: "no-store",
      signal: AbortSignal.timeout(timeout),
      headers: options.body && { "Content-Type": "application/json" },
      ...options,
    });
    const { ok, status } = response;
    const answer = await response.json();
    return ok ? [answer, "", status] : [null, answer.detail, status];
  } catch {
    return [null, GONE, null];
  }
}

/* Sets what is at `path`, which comes to the same when it is done twice: whether that was done; a toast says what
 * went wrong. */
export async function change(path, content) {
  const [answer, problem, status] = await fetchJson(path, { method: "PUT", body: JSON.stringify(content) });
  answer === null && toast(status === null ? UNKNOWN : problem, "error");
  ended.forEach((run) => run());
  return answer !== null;
}

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
    dialog === null || ended.forEach((run) => run());
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

window.fetch = async (resource, options) => {
  if (!String(resource).includes(DASH)) {
    return original(resource, options);
  }
  const [dialog, sent] = sentBy(JSON.parse(options.body));
  const answer = running.get(sent) ?? answerDash(resource, options, dialog);
  if (dialog !== null) {
    // however often it is confirmed, it is sent once until that is answered
    running.set(sent, answer);
    answer.finally(() => running.delete(sent));
  }
  return (await answer).clone();
};
