/* The functions that Dash calls in the page: all of them in one namespace, `desk`. */

import { at } from "./address.js";
import { isOff } from "./link.js";

const MISSING = "A part of this page did not come from the server. It is fetched again.";
const RETRY_MS = 1000;

const functions = {};
window.dash_clientside = { ...window.dash_clientside, desk: functions };

/* Has Dash find `more` functions, by their names. */
export function register(more) {
  Object.assign(functions, more);
}

let tries = 0;

/* The module at `path` below this one's folder; a browser may keep that a file did not come, by its address. */
export async function fetched(path) {
  try {
    return await import(path);
  } catch {
    tries += 1;
    return import(`${path}?again=${tries}`);
  }
}

let missing = null; // the toast that says so

/* The same once it has come, however long that takes: that the server does not answer every tab says anyway. */
export async function arrived(path) {
  for (;;) {
    try {
      return await fetched(path);
    } catch {
      const { toast } = await import("./toasts.js");
      isOff || missing?.isConnected || (missing = toast(MISSING, "error"));
    }
    do {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    } while (isOff);
  }
}

/* Has the functions called `names` come with the module at `path` when Dash first calls one of them, while
 * the tab with the path `tab` is shown, null for all tabs. */
export function late(path, names, tab = null) {
  const stub = (name) => async (...values) => {
    const dash = window.dash_clientside;
    const { callback_context: context } = dash;
    if (tab !== null && location.pathname !== at(tab)) {
      return dash.no_update;
    }
    await arrived(path);
    // Dash takes it away once a function has returned
    dash.callback_context = context;
    const result = functions[name](...values);
    delete dash.callback_context;
    return result;
  };
  register(Object.fromEntries(names.map((name) => [name, stub(name)])));
}
