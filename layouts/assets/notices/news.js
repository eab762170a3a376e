/* What the market and the bots did to the account of themselves: each page tells it once while it is
 * open, however many changes come at once, and what they did while the program was off once a browser.
 * A liquidation and what became of the person's own orders have a toast each; the fills of bots are
 * counted on their tab until it is shown.
 */
import { balanceAddress } from "../address.js";
import { witnessAccount } from "../balance.js";
import { balanceLive, rowOf } from "../live.js";
import { dollars } from "../money.js";
import { balanceScreen } from "../screen.js";
import { balanceToasts } from "../toasts.js";
import { balanceNotices } from "./notices.js";

const KEY = "news-told";
const MOST_COUNTED = 99;
const MOST_NEWS = 10; // in a snapshot; as in balance/core/messages.py
const BOTS_PATH = balanceAddress.at("/auto");

let announced = null; // the account, and the newest revision that this page has announced
let path = null;
let counts = new Map(); // of each bot, since its tab was shown: its fills and their result
let isWhole = true; // whether all of them have been heard of

// up to where some page of this browser has announced news of the account
function toldBefore(account) {
  try {
    const before = JSON.parse(localStorage.getItem(KEY));
    return before.account === account ? before.revision : 0;
  } catch {
    return 0;
  }
}

const nameOf = (owner) => rowOf(`bots/${owner}`)?.name ?? owner;

function notify(words, kind, key) {
  const sound = kind === "liquidation" ? "liquidation" : "fill";
  balanceNotices.tell("Virtual Balance", words, sound, `news ${key}`);
}

function tellOne({ kind, owner, words }, before, key) {
  const said = `${before}${owner ? `${nameOf(owner)}: ` : ""}${words}`;
  const isLost = kind === "liquidation";
  balanceToasts.toast(said, isLost ? "error" : "info", { stays: isLost });
  notify(said, kind, key);
}

// "Trend: 6 fills, −$22.40"
function summary(counted) {
  const lines = [...counted].map(([owner, { fills, result }]) => {
    const amount = dollars(result, "+").replace("-", "−");
    return `${nameOf(owner)}: ${fills === 1 ? "1 fill" : `${fills} fills`}, ${amount}`;
  });
  return lines.join(". ");
}

function add(counted, { owner, result }) {
  const before = counted.get(owner) ?? { fills: 0, result: 0 };
  counted.set(owner, { fills: before.fills + 1, result: before.result + result });
}

/* Counts what bots did on their tab, where nobody looks at it. */
function count() {
  const fills = [...counts.values()].reduce((sum, each) => sum + each.fills, 0);
  const isMore = fills > MOST_COUNTED || !isWhole;
  const words = fills === 0 ? "" : `${Math.min(fills, MOST_COUNTED)}${isMore ? "+" : ""}`;
  const place = document.getElementById("auto-news");
  balanceLive.write(place, words);
  // how much all of them brought is known only where all were heard of
  const about = isWhole ? summary(counts) : "More fills of bots than this page has heard of.";
  place.title = words && about;
  place.setAttribute("aria-label", words && `${words} fills of bots. ${about}`);
}

function see(address) {
  path = address;
  if (path === BOTS_PATH) {
    counts = new Map();
    isWhole = true;
    count();
  }
}

const isOfBot = ({ kind, owner }) => owner !== "" && kind !== "liquidation";

function tellAll(account, fresh) {
  const batch = new Map();
  for (const { revision, source, items } of fresh) {
    const before = source === "offline" ? "While the program was off: " : "";
    items.forEach((item, place) => {
      isOfBot(item) ? add(batch, item) : tellOne(item, before, `${account} ${revision} ${place}`);
      isOfBot(item) && path !== BOTS_PATH && add(counts, item);
    });
  }
  count();
  if (batch.size) {
    notify(`${summary(batch)}.`, "fill", `${account} ${fresh.at(-1).revision} bots`);
  }
}

/* Tells what is new in `snapshot`; to a page that has just come to its account, that is only what
 * happened while the program was off. */
function tell({ account, revision, recent_news: news }) {
  const before = toldBefore(account);
  const isFirst = announced?.account !== account;
  const isMissed = (each) => each.source === "offline" && each.revision > before;
  const fresh = news.filter((each) => (isFirst ? isMissed(each) : each.revision > announced.revision));
  // where all that a snapshot has is new, there may have been more
  const hasGap = !isFirst && fresh.length === MOST_NEWS && fresh[0].revision > announced.revision + 1;
  announced = { account, revision };
  if (revision > before) {
    localStorage.setItem(KEY, JSON.stringify(announced));
  }
  isWhole = isWhole && !hasGap;
  fresh.length && tellAll(account, fresh);
}

balanceScreen.follow(see);
witnessAccount(tell);
