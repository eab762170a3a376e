/* Money of which the server has not written the text. */
import { setting } from "./settings/settings.js";

/* `decimals` for amounts of millions: "$2.5M". */
export const COMPACT = "compact";

// to make one takes longer than to write with it
const pens = new Map();

function pen(decimals) {
  if (!pens.has(decimals)) {
    const plain = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    const short = { notation: COMPACT, maximumFractionDigits: 3 };
    pens.set(decimals, new Intl.NumberFormat("en-US", decimals === COMPACT ? short : plain));
  }
  return pens.get(decimals);
}

/* "$10,000.00", with as many decimals as all money on the screen; `plus` is the sign of a gain. */
export function dollars(value, plus = "", decimals = setting("decimals") ?? 2) {
  const text = pen(decimals).format(Math.abs(value));
  const sign = /[1-9]/.test(text) ? (value < 0 ? "-" : plus) : "";
  return `${sign}$${text}`;
}
