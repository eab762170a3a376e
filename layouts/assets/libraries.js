/* Libraries that only some tabs need. The page names them without running them; they come when such a
 * tab is first shown, or once the page has been there for a while, so that the tab opens at once.
 */
const NAMED = 'script[type="text/later"]';
const PAUSE_MS = 3000;

const coming = new Map(); // by address

function load({ src }) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.onload = resolve;
    script.onerror = () => {
      coming.delete(src);
      reject(new Error(`${src} did not come`));
    };
    script.src = src;
    document.head.append(script);
  });
}

function once(script) {
  const { src } = script;
  coming.has(src) || coming.set(src, load(script));
  return coming.get(src);
}

const named = () => [...document.querySelectorAll(NAMED)];

/* Resolves once the library of that namespace is there; fails where the server does not answer. */
export const library = (name) =>
  Promise.all(named().filter(({ src }) => src.includes(`/${name}/`)).map(once));

// whoever needs one gets the fault
const loadAll = () => setTimeout(() => named().forEach((script) => once(script).catch(() => {})), PAUSE_MS);
// a module may come when the page is loaded already
document.readyState === "complete" ? loadAll() : window.addEventListener("load", loadAll);
