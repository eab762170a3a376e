/* The figures that only the server knows: how well it went, and how each figure comes about. */
import { balanceLive } from "../live.js";
import { balanceParts } from "../parts.js";
import { balanceRefresh } from "./refresh.js";

const { writeFigure } = balanceParts;
const { ask, keepFresh } = balanceRefresh;

// a day ends where nothing moves, too
const PAUSES = { afterCommit: 300, whileMoving: 10_000, atRest: 60_000, afterFault: 4000 };

// an amount keeps the digits that it was sent with, where the browser can tell them
const exactly = (name, value, context) =>
  name === "amount" && typeof value === "number" ? (context?.source ?? String(value)) : value;

/* All of it as the server has it now, or what is at another path: [the answer, what went wrong]. */
const read = (path = "/performance") => ask(path, exactly);

async function show(_, isWanted) {
  const [answer, wrong] = await read();
  if (isWanted()) {
    balanceLive.explain(document.getElementById("overview-performance-note"), wrong);
    for (const element of answer === null ? [] : document.querySelectorAll("[data-performance]")) {
      writeFigure(element, answer.display[element.dataset.performance] ?? "–");
    }
  }
  return answer !== null;
}

keepFresh(show, PAUSES);
export const balancePerformance = { read };
