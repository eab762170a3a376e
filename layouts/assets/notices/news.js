/* What the market and the bots did to the account of themselves: each page tells it once while it is
 * open, however many changes come at once, and what they did while the program was off once a browser.
 * A liquidation and what became of the person's own orders have a toast each; the fills of bots are
 * counted on their tab until it is shown.
 */
import { at } from "../address.js";
import { hearEvent, followAccount } from "../balance.js";
import { rowOf, write } from "../live.js";
import { dollars } from "../money.js";
import { followAddress } from "../screen.js";
import { toast } from "../toasts.js";
import { counted, notify } from "./notices.js";

const KEY = "news-told";
const TITLE = "Virtual Balance"; // of the browser's notifications
const MOST_NEWS = 10; // in a snapshot; as in balance/core/messages.py

let announced = null; // the account, and the newest revision that this page has announced
let counts = new Map(); // of each bot, since its tab was shown: its fills and their result
let isWhole = true; // whether all of them have been heard of

const nameOf = (owner) => rowOf(`bots/${owner}`)?.name ?? owner;

// "Trend: 6 fills, −$22.40"
function summary(sums) {
  const lines = [...sums].map(([owner, { fills, result }]) => {
    const amount = dollars(result, "+").replace("-", "−");
    return `${nameOf(owner)}: ${fills === 1 ? "1 fill" : `${fills} fills`}, ${amount}`;
  });
  return lines.join(". ");
}

function add(sums, { owner, result }) {
  const before = sums.get(owner) ?? { fills: 0, result: 0 };
  sums.set(owner, { fills: before.fills + 1, result: before.result + result });
}

/* Counts what bots did on their tab, where nobody looks at it. */
function count() {
  if (location.pathname === at("/auto")) {
    [counts, isWhole] = [new Map(), true];
  }
  const fills = [...counts.values()].reduce((sum, each) => sum + each.fills, 0);
  const text = counted(fills, isWhole);
  const place = document.getElementById("auto-news");
  write(place, text);
  // how much all of them brought is known only where all were heard of
  const about = isWhole ? summary(counts) : "More fills of bots than this page has heard of.";
  place.title = text && about;
  place.ariaLabel = text && `${text} fills of bots. ${about}`;
}

function announceAll(account, fresh) {
  const batch = new Map();
  for (const { revision, source, items } of fresh) {
    const before = source === "offline" ? "While the program was off: " : "";
    items.forEach((item, place) => {
      const isLost = item.kind === "liquidation";
      if (item.owner !== "" && !isLost) {
        add(batch, item);
        add(counts, item);
        return;
      }
      const text = `${before}${item.owner && `${nameOf(item.owner)}: `}${item.words}`;
      toast(text, isLost ? "error" : "info", { stays: isLost });
      notify(TITLE, text, item.kind, `news ${account} ${revision} ${place}`);
    });
  }
  count();
  batch.size && notify(TITLE, `${summary(batch)}.`, "fill", `news ${account} ${fresh.at(-1).revision} bots`);
}

/* Announces what is new in a snapshot; to a page that has just come to its account, that is only what
 * happened while the program was off. */
followAccount(({ account, revision, recent_news: news }) => {
  // up to where some page of this browser has announced news of the account
  const stored = JSON.parse(localStorage.getItem(KEY) ?? "{}");
  const before = stored.account === account ? stored.revision : 0;
  const isFirst = announced?.account !== account;
  const isMissed = (each) => each.source === "offline" && each.revision > before;
  const fresh = news.filter((each) => (isFirst ? isMissed(each) : each.revision > announced.revision));
  // where all that a snapshot has is new, there may have been more
  const hasGap = !isFirst && fresh.length === MOST_NEWS && fresh[0].revision > announced.revision + 1;
  announced = { account, revision };
  revision > before && localStorage.setItem(KEY, JSON.stringify(announced));
  isWhole = isWhole && !hasGap;
  fresh.length && announceAll(account, fresh);
});

followAddress(count);

let takeover = performance.timeOrigin; // the newest one that the person knows of

// the server has taken over from another one that has ended
hearEvent("takeover", ({ version, message }) => {
  version > takeover && toast(message, "info", { stays: true });
  takeover = Math.max(takeover, version);
});
