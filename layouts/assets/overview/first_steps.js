/* What the first minute offers: a small position and a small bot, in words and with one click. */
import { balanceAddress } from "../address.js";
import { balanceBots } from "../bots/feed.js";
import { balanceRequests } from "../requests.js";
import { balanceToasts } from "../toasts.js";

const { carryOut, send, previewed } = balanceRequests;

const ORDER = { side: "buy", leverage: 5 };
const SHARE = 1; // percent of what is available
const BOT = {
  strategy: "ema_crossover",
  timeframe: "1m",
  stake: 1,
  stake_unit: "percent",
  leverage: 3,
  stop_loss: 2,
  take_profit: 4,
};

/* What the order would do now: [the server's preview, what went wrong]. */
async function preview(symbol) {
  const [answer, problem] = await previewed(JSON.stringify({ ...ORDER, symbol, percent: SHARE }));
  return [answer, answer === null && !problem ? "The server does not answer." : problem];
}

function orderWords(symbol, { display }) {
  const { quantity, leverage, price, notional, margin, fee, liquidation_price: end } = display;
  return (
    `Buys ${quantity} at market, about ${price}: ${symbol} worth ${notional} at ${leverage} leverage. ` +
    `Margin ${margin}, fee ${fee}, liquidated at ${end}.`
  );
}

const botWords = (symbol) =>
  `Makes and starts a bot on ${symbol}: EMA crossover on candles of one minute, with ${BOT.stake}% of ` +
  `what is available as its margin, ${BOT.leverage}x leverage, stop-loss ${BOT.stop_loss}%, ` +
  `take-profit ${BOT.take_profit}%.`;

/* Places the order for exactly the quantity that the words said. */
async function buy(symbol, { quantity }) {
  const [done] = await carryOut("POST", "/orders", JSON.stringify({ ...ORDER, symbol, quantity }));
  if (done) {
    window.dash_clientside.set_props("futures-symbol", { value: symbol });
    balanceAddress.go(balanceAddress.at("/futures"));
  }
}

// a name that no other bot has
function freeName(symbol) {
  const base = `EMA crossover ${symbol.split("/")[0]}`;
  const taken = new Set(balanceBots.state?.bots.map(({ name }) => name));
  let name = base;
  for (let number = 2; taken.has(name); number += 1) {
    name = `${base} ${number}`;
  }
  return name;
}

async function startBot(symbol) {
  const body = JSON.stringify({ ...BOT, name: freeName(symbol), symbol });
  const [made, words, answer] = await send("POST", "/bots", body);
  if (!made) {
    balanceToasts.toast(words, "error");
    return;
  }
  await carryOut("POST", `/bots/${encodeURIComponent(answer.bot.id)}/start`);
  balanceAddress.go(balanceAddress.at("/auto"));
}

export const balanceFirstSteps = { preview, orderWords, botWords, buy, startBot };
