/* Elements that a script makes. */

/* An element with its attributes, those that begin with "on" being listeners. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children);
  return element;
}

/* Has `parent` hold `elements` in their order; what stands right is not touched, so keeps the focus. */
export function arrange(parent, elements) {
  const staying = new Set(elements);
  [...parent.children].forEach((each) => staying.has(each) || each.remove());
  elements.forEach((each, place) => {
    if (parent.children[place] !== each) {
      parent.insertBefore(each, parent.children[place] ?? null);
    }
  });
}
