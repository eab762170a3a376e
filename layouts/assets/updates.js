/* What callbacks in Python need of the server: Dash itself waits for ever for one that is gone, and says
 * nothing.
 */
import { catchUp } from "./balance.js";
import { toast } from "./toasts.js";

const PATH = "/_dash-update-component";
const TIMEOUT_MS = 8000;
const GONE = "The server does not answer. Try again when it is back.";
const UNKNOWN =
  "The server does not answer, so it is not known whether this was done. " +
  "Try again when it is back: it will not be done twice.";

const { fetch } = window;
const failures = []; // what is called when one came to nothing
const running = new Map(); // what dialogs have sent, until it is answered

/* The name of the dialog that sends this, and what it sends; a dialog has a key for it in its state. */
function sentBy({ output, state = [] }) {
  const key = state.flat().find(({ id }) => typeof id === "string" && id.endsWith("-key"));
  return key === undefined ? [null, null] : [key.id.slice(0, -"-key".length), output + JSON.stringify(state)];
}

function explainFault(dialog, message) {
  if (dialog === null) {
    toast(message, "error");
  } else {
    window.dash_clientside.set_props(`${dialog}-error`, { children: message });
  }
}

/* Has `run` called when a request of Dash got no answer, so that nothing has changed. */
export function onFailure(run) {
  failures.push(run);
}

/* The answer to a request of Dash; where there is none, one that changes nothing. */
async function answer(resource, options, dialog) {
  try {
    const response = await fetch(resource, { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) });
    // what was done comes by the stream, if there is one
    dialog === null || catchUp();
    // all of it within that time: Dash would fail in the middle of it
    const text = await response.text();
    if (response.ok) {
      return new Response(text || null, { status: response.status, headers: response.headers });
    }
    explainFault(dialog, JSON.parse(text).detail);
  } catch {
    explainFault(dialog, dialog === null ? GONE : UNKNOWN);
  }
  failures.forEach((run) => run());
  return new Response(null, { status: 204 });
}

window.fetch = async (resource, options) => {
  if (!String(resource).includes(PATH)) {
    return fetch(resource, options);
  }
  const [dialog, sent] = sentBy(JSON.parse(options.body));
  if (dialog === null) {
    return answer(resource, options, null);
  }
  // however often it is confirmed, it is sent once until that is answered
  if (!running.has(sent)) {
    const ended = () => running.delete(sent);
    running.set(sent, answer(resource, options, dialog).finally(ended));
  }
  return (await running.get(sent)).clone();
};
