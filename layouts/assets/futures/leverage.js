/* The leverage of a symbol, which its slider in the ticket follows and sets. */
import { snapshot } from "../balance.js";
import { write } from "../live.js";
import { send } from "../requests.js";
import { toast } from "../toasts.js";

const PAUSE_MS = 300;

let chosen = null; // what was chosen here and is not set yet, with its symbol
let followed = null; // what the slider was put at, as it is that of the symbol
let fields = null; // the ticket's, as they were last

const slider = () => document.getElementById("futures-leverage");

/* Shows the leverage of the symbol, here as in every other tab, until another one is chosen here. */
export function followLeverage(form) {
  fields = form;
  const { symbol, leverage: shown } = form;
  const { leverages = [] } = snapshot ?? {};
  const { leverage = Number(shown), source } = leverages.find((each) => each.symbol === symbol) ?? {};
  const isOpen = source === "open";
  if (chosen?.symbol !== symbol && Number(shown) !== leverage) {
    followed = leverage;
    window.dash_clientside.set_props("futures-leverage", { value: leverage });
  }
  slider().disabled = isOpen;
  const text = isOpen ? `${leverage}x, as what is open` : `${shown}x`;
  write(document.getElementById("futures-leverage-words"), text);
}

/* Whether the slider was moved by the person between two states of the ticket's fields. */
export const isChosen = (before, { symbol, leverage }) =>
  before !== null &&
  before.symbol === symbol &&
  before.leverage !== leverage &&
  Number(leverage) !== followed;

/* Sets the leverage that was chosen, once the slider rests: it passes through others on its way. */
export function chooseLeverage(form) {
  const mine = { symbol: form.symbol, leverage: Number(form.leverage) };
  chosen = mine;
  followed = null;
  setTimeout(async () => {
    if (chosen === mine) {
      const body = `{"leverage": ${mine.leverage}}`;
      const [done, message] = await send("PUT", `/leverage/${mine.symbol}`, body);
      done || toast(message, "error");
      chosen = chosen === mine ? null : chosen;
      followLeverage(fields);
    }
  }, PAUSE_MS);
}
