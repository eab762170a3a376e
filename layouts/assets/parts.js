/* The small pieces that a drawing is made of. */

/* An element with its attributes. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/* Has `parent` hold `elements` in their order; what stands right is not touched, so keeps the focus. */
export function arrange(parent, elements) {
  const kept = new Set(elements);
  [...parent.children].forEach((each) => kept.has(each) || each.remove());
  elements.forEach((each, place) => {
    if (parent.children[place] !== each) {
      parent.insertBefore(each, parent.children[place] ?? null);
    }
  });
}
