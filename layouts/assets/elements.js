/* Draws what `Elements` of layouts/elements.py holds: plain elements. As components of Dash, each would run code of
 * its own at every change of anything in the page, and once for each of them as it comes.
 */
import { feed } from "./live.js";

const OWN = /^(id|className|role|tabIndex|data-.+|aria-.+)$/;

function draw(part) {
  if (part === null || typeof part !== "object") {
    return part;
  }
  const { children, ...attributes } = part.props;
  return window.React.createElement(part.type.toLowerCase(), attributes, ...[children].flat().map(draw));
}

function Elements({ content, ...props }) {
  const { createElement, Fragment, useLayoutEffect, useRef } = window.React;
  const place = useRef(null);
  // figures are as old as the answer that brought what is drawn
  useLayoutEffect(() => void (place.current && feed(place.current)), [content]);
  const children = [content].flat().map(draw);
  if (props.id === undefined) {
    return createElement(Fragment, null, ...children);
  }
  const own = Object.fromEntries(Object.entries(props).filter(([name]) => OWN.test(name)));
  return createElement("div", { ...own, ref: place }, ...children);
}

// where Dash looks for a component by its namespace
window.desk = { Elements };
