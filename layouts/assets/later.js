/* What takes long to draw comes to its place when its tab is first shown, with the scripts of its library: the
 * page names those without running them, and fetches them anyway once it has been there for a while.
 */
import { arrived, fetched, register } from "./clientside.js";

const PAUSE_MS = 3000;

const named = () => [...document.querySelectorAll('script[type="text/later"]')].map(({ src }) => src);

async function whole(component) {
  const { namespace, module } = component;
  const scripts = named().filter((src) => src.includes(`/${namespace}/`));
  await Promise.all([...scripts, ...(module ? [`./${module}`] : [])].map(arrived));
  return component;
}

const coming = new Map(); // by the ids of their places
const newest = new Map(); // likewise: the call that brings it

/* Brings `component` to its place when its tab is first shown or, where its scripts don't come, once they do. */
async function bring(path, component, paths) {
  const { no_update: noUpdate, callback_context: context } = window.dash_clientside;
  const { id } = context.outputs_list;
  if (paths[id.split("-")[0]] === path && !coming.has(id)) {
    coming.set(id, whole(component).finally(() => coming.set(id, noUpdate)));
  }
  // Dash may drop the answer of an earlier call; what came twice would be drawn anew
  const call = {};
  newest.set(id, call);
  const answer = await (coming.get(id) ?? noUpdate);
  return newest.get(id) === call ? answer : noUpdate;
}

// whoever needs one fetches it again
setTimeout(() => named().forEach((src) => fetched(src).catch(() => {})), PAUSE_MS);
register({ bring });
