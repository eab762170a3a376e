/* The icon of the page, as the layout draws it: the balance in a few letters and where the P&L stands, for
 * whoever has the page in a tab among others. It is drawn anew only when it would look different.
 */
import { followAccount } from "./balance.js";
import { tone } from "./live.js";

const LETTER = 22; // as wide as most are
const MOST = 60;

let drawn = null;

followAccount(({ display: { balance_short: text, current_pnl: pnl } }) => {
  const { link } = document.getElementById("app-shell").dataset;
  const looks = { text, tone: tone(pnl), link, width: Math.min(MOST, LETTER * text.length) };
  const state = JSON.stringify([looks, document.documentElement.dataset.bsTheme]);
  if (state !== drawn) {
    drawn = state;
    const icon = document.querySelector('link[rel="icon"]');
    const style = getComputedStyle(document.documentElement);
    const svg = icon.dataset.drawing
      .replace(/\{(\w+)\}/g, (_, name) => looks[name])
      .replace(/var\((--\w+)\)/g, (_, name) => style.getPropertyValue(name));
    icon.href = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  }
});
