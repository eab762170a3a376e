/* What comes into the page later, by Dash or by a script, is seen to from its first moment. */

const visitors = [];

function visit(node, [selector, run]) {
  node.matches(selector) && run(node);
  node.querySelectorAll(selector).forEach(run);
}

/* Has `run` called with each element that fits `selector` when it comes into the page. */
export function onArrival(selector, run) {
  visitors.push([selector, run]);
}

new MutationObserver((changes) => {
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) {
      node instanceof Element && visitors.forEach((visitor) => visit(node, visitor));
    }
  }
}).observe(document.documentElement, { childList: true, subtree: true });
