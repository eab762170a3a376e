/* What callbacks in Python need of the server: Dash itself waits for ever for one that is gone, and says
 * nothing.
 */
import { balanceToasts } from "./toasts.js";

const PATH = "/_dash-update-component";
const TIMEOUT_MS = 8000;
const GONE = "The server does not answer. Try again when it is back.";

const { fetch } = window;

window.fetch = async (resource, options) => {
  if (!String(resource).includes(PATH)) {
    return fetch(resource, options);
  }
  try {
    return await fetch(resource, { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    balanceToasts.toast(GONE, "error");
    // for Dash: nothing changes
    return new Response(null, { status: 204 });
  }
};
