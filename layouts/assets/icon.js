/* The icon of the page: the balance in a few letters and where the P&L stands, for whoever has the page
 * in a tab among others. It is drawn anew only when it would look different.
 */
import { followAccount } from "./balance.js";
import { tone } from "./live.js";

const SIZE = 64;
const FONT = 40;
const COLOURS = { gain: "--balance", loss: "--loss", flat: "--muted" };
// left, top and right of what points up or down, or lies flat
const MARKS = {
  gain: [[12, 60], [32, 42], [52, 60]],
  loss: [[12, 42], [32, 60], [52, 42]],
  flat: [[12, 48], [12, 54], [52, 54], [52, 48]],
};

let drawn = null;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function draw(text, tone, isOffline) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  const paint = canvas.getContext("2d");
  paint.fillStyle = colour("--surface");
  paint.beginPath();
  paint.roundRect(0, 0, SIZE, SIZE, 12);
  paint.fill();
  paint.fillStyle = colour(isOffline ? "--muted" : "--ink");
  paint.font = `700 ${FONT}px ${colour("--font")}`;
  paint.textAlign = "center";
  paint.textBaseline = "alphabetic";
  paint.fillText(text, SIZE / 2, 34, SIZE - 4);
  paint.fillStyle = colour(isOffline ? "--muted" : COLOURS[tone]);
  paint.beginPath();
  MARKS[tone].forEach(([x, y]) => paint.lineTo(x, y));
  paint.fill();
  return canvas.toDataURL("image/png");
}

function follow({ display }) {
  const sign = tone(display.current_pnl);
  const { link } = document.getElementById("app-shell").dataset;
  const isOffline = link === "offline" || link === "fault";
  const shape = [display.balance_short, sign, isOffline];
  const looks = [...shape, document.documentElement.dataset.bsTheme].join(" ");
  if (looks === drawn) {
    return;
  }
  drawn = looks;
  const icon = document.querySelector('link[rel="icon"]');
  icon.type = "image/png";
  icon.href = draw(...shape);
}

followAccount(follow);
