/* The functions that Dash calls in the page: all of them in one namespace, `desk`. */

import { at } from "./address.js";

const MISSING = "A part of this page did not come from the server. It is fetched again when it is needed next.";

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

/* Has the functions called `names` come with the module at `path` when Dash first calls one of them, while
 * the tab with the path `tab` is shown, null for all tabs. */
export function late(path, names, tab = null) {
  const stub = (name) => async (...values) => {
    const dash = window.dash_clientside;
    const { callback_context: context } = dash;
    if (tab !== null && location.pathname !== at(tab)) {
      return dash.no_update;
    }
    try {
      await fetched(path);
    } catch {
      const { toast } = await import("./toasts.js");
      toast(MISSING, "error");
      return dash.no_update;
    }
    // Dash takes it away once a function has returned
    dash.callback_context = context;
    const result = functions[name](...values);
    delete dash.callback_context;
    return result;
  };
  register(Object.fromEntries(names.map((name) => [name, stub(name)])));
}
