/* The address of History, which says all that it shows: the list, its filters, its order, and what is open over it.
 * Python reads it (layouts/history_view.py); the page only exchanges members of it.
 */
import { at } from "../address.js";

export const PATH = at("/history");

// what stands last in an address, in this order
const LAST = ["sort", "compare", "entry", "order"];

/* The member `name` of the address; "" where it has none. */
export const member = (name) => new URLSearchParams(location.search).get(name) ?? "";

/* The address with other `members`; those that are empty are left out. */
export function hrefWith(members) {
  const query = new URLSearchParams(location.search);
  for (const name of new Set([...Object.keys(members), ...LAST])) {
    const value = members[name] ?? query.get(name);
    query.delete(name);
    value && query.append(name, value);
  }
  // a person would write commas, colons and slashes as they are
  const text = query.toString().replaceAll(/%2[CF]|%3A/g, (each) => decodeURIComponent(each));
  return text ? `${PATH}?${text}` : PATH;
}
