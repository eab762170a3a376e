/* Money of which the server has not written the text. */
import { setting } from "./settings/settings.js";

/* `decimals` for amounts of millions: "$2.5M". */
export const COMPACT = "compact";
const SHORT = { notation: COMPACT, minimumFractionDigits: 0, maximumFractionDigits: 3 };
const MONEY = { style: "currency", currency: "USD" };

// to make one takes longer than to write with it
const pens = new Map();

/* "$10,000.00", with as many decimals as all money on the screen; `plus` is the sign of a gain. */
export function dollars(value, plus = "", decimals = setting("decimals") ?? 2) {
  const name = `${decimals}${plus}`;
  if (!pens.has(name)) {
    const exact = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    const signDisplay = plus ? "exceptZero" : "negative";
    pens.set(name, new Intl.NumberFormat("en-US", { ...MONEY, signDisplay, ...(decimals === COMPACT ? SHORT : exact) }));
  }
  return pens.get(name).format(value);
}
