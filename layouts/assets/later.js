/* What takes long to draw comes to its place when its tab is first shown, with the library that it is of: the
 * page names that without running it, and fetches it anyway once it has been there for a while.
 */
import { fetched, register } from "./clientside.js";

const NAMED = 'script[type="text/later"]';
const PAUSE_MS = 3000;

const coming = new Map(); // libraries, by address
const brought = new Set(); // the ids of places

function load({ src }) {
  if (!coming.has(src)) {
    const come = (resolve, reject) => {
      const script = Object.assign(document.createElement("script"), { src, onload: resolve });
      script.onerror = () => {
        coming.delete(src);
        reject(new Error(`${src} did not come`));
      };
      document.head.append(script);
    };
    coming.set(src, new Promise(come));
  }
  return coming.get(src);
}

const named = () => [...document.querySelectorAll(NAMED)];
const library = (name) => Promise.all(named().filter(({ src }) => src.includes(`/${name}/`)).map(load));

/* Brings `component` to its place when its tab is first shown. */
async function bring(path, component, paths) {
  const { no_update: noUpdate, callback_context: context } = window.dash_clientside;
  const { id } = context.outputs_list;
  if (paths[id.split("-")[0]] !== path || brought.has(id)) {
    return noUpdate;
  }
  brought.add(id);
  try {
    await Promise.all([library(component.namespace), component.module && fetched(`./${component.module}`)]);
  } catch {
    // the server does not answer, as every tab says: it comes when the tab is next shown
    brought.delete(id);
    return noUpdate;
  }
  return component;
}

// whoever needs one gets the fault
const loadAll = () => setTimeout(() => named().forEach((script) => load(script).catch(() => {})), PAUSE_MS);
// a module may come when the page is loaded already
document.readyState === "complete" ? loadAll() : window.addEventListener("load", loadAll);
register({ bring });
