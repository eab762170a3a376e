/* The order that the fields of the ticket describe, as the server takes it. */
import { isEmpty, read } from "../amounts.js";

// what the size is, by its unit
const SIZES = { notional: "money", quantity: "quantity", percent: "plain" };
// the type that is two orders: a limit and a stop, of which one cancels the other
const OCO = "oco";
// the fields of the numbers that an order of a type has beside its size, in their order
export const NUMBERS = ["price", "second-price", "third-price"];

/* The numbers that orders of this type have beside their size, and whether they have a time in force. */
export const kindOf = (type) => JSON.parse(document.getElementById("futures-kinds").dataset.kinds)[type];

export const isOco = ({ type }) => type === OCO;

/* Where an order is sent to. */
export const pathOf = (form) => (isOco(form) ? "/orders/oco" : "/orders");

/* The limit of the order as it is typed; undefined where it has none, or is two orders. */
export function limitOf(form) {
  const at = kindOf(form.type).numbers.findIndex(({ member }) => member === "price");
  return at < 0 || isOco(form) ? undefined : form[NUMBERS[at]];
}

// members as a JSON object: their values are JSON already, as a float would lose digits
const objectOf = (members) =>
  `{${Object.entries(members).map(([name, value]) => `"${name}": ${value}`).join(", ")}}`;

// both orders of an OCO, from the members of its form
function bothOf({ price, trigger_price, stop_limit, ...shared }) {
  const limit = { ...shared, type: '"limit"', price };
  const stop =
    stop_limit === undefined
      ? { ...shared, type: '"stop_market"', trigger_price }
      : { ...shared, type: '"stop_limit"', trigger_price, price: stop_limit };
  return `{"orders": [${objectOf(limit)}, ${objectOf(stop)}]}`;
}

// the numbers of the order: the name of each, what is typed, what it is where it can't be missing, its format
function numbersOf(form) {
  const prices = kindOf(form.type).numbers.map(({ label, member, format, optional }, index) => [
    member,
    form[NUMBERS[index]],
    optional ? null : `a ${label.toLowerCase()}`,
    format,
  ]);
  const exits = form.options.includes("bracket") ? ["take-profit", "stop-loss"] : [];
  return [
    [form.unit, form.size, "a size", SIZES[form.unit]],
    ...prices,
    ...exits.map((name) => [name.replace("-", "_"), form[name], null, "money"]),
  ];
}

/* The order as JSON, or null and what is missing: [JSON, message]. */
export function orderOf(form) {
  const members = {
    symbol: JSON.stringify(form.symbol),
    side: `"${form.side}"`,
    type: `"${form.type}"`,
    leverage: Number(form.leverage),
  };
  for (const [name, typed, needed, format] of numbersOf(form)) {
    if (isEmpty(typed)) {
      if (needed !== null) {
        return [null, `Enter ${needed}.`];
      }
      continue;
    }
    const [number, wrong] = read(typed, format);
    if (number === null) {
      return [null, wrong];
    }
    members[name] = number;
  }
  if (kindOf(form.type).timed) {
    members.time_in_force = `"${form.force}"`;
  }
  if (form.options.includes("reduce_only")) {
    members.reduce_only = true;
  }
  // both orders of an OCO can't have the same name
  if (form.options.includes("named") && !isOco(form) && !isEmpty(form["client-id"])) {
    members.client_id = JSON.stringify(form["client-id"].trim());
  }
  return [isOco(form) ? bothOf(members) : objectOf(members), ""];
}
