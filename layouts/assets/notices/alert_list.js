/* The alerts as a list that is changed in place, so that the focus stays, and the log of their firings. */
import { balanceLive } from "../live.js";
import { balanceParts } from "../parts.js";
import { balanceTables } from "../tables.js";

const ASK_MS = 4000;
const EMPTY = [
  "bi-bell",
  "No alerts yet",
  "An alert tells you when a price, your P&L or your equity comes to a threshold, also while no " +
    "page is open if it is posted to an address. Begin with a price that you wait for.",
];

const rows = new Map(); // by the alerts' ids

const write = (element, words) => balanceLive.write(element, words);

// as it stands where it is no address to this browser, whoever has let it in
function hostOf(url) {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}

/* A button that does harm asks by its own words, and is pressed again. */
function askFirst(button, words, act) {
  let asking = null;
  const back = () => {
    asking = null;
    button.textContent = "";
  };
  button.addEventListener("click", () => {
    if (asking === null) {
      button.textContent = words;
      asking = setTimeout(back, ASK_MS);
      return;
    }
    clearTimeout(asking);
    back();
    act();
  });
}

/* A row for the alert with the `id`; `act` is called with what was pressed. */
function newRow(id, act) {
  const { make, iconButton } = balanceParts;
  const parts = {
    condition: make("div", { class: "alert-condition" }),
    how: make("div", { class: "alert-below" }),
    status: make("span", { class: "alert-status" }),
    now: make("span", { class: "alert-below" }),
    fired: make("div", { class: "alert-below" }),
    arm: iconButton("arrow-repeat", "Arm again", () => act(id, "arm")),
    off: iconButton("bell-slash", "Switch off", () => act(id, "off")),
    edit: iconButton("pencil", "Edit", () => act(id, "edit")),
    test: iconButton("send", "Test", () => act(id, "test")),
    delete: iconButton("trash", "Delete", () => {}, "outline-danger"),
  };
  askFirst(parts.delete, "Delete?", () => act(id, "delete"));
  const { condition, how, status, now, fired, arm, off, edit, test } = parts;
  const row = make(
    "li",
    { class: "alert-row", "data-alert": id },
    make("div", { class: "alert-words" }, condition, how),
    make("div", { class: "alert-words" }, make("div", {}, status, " ", now), fired),
    make("div", { class: "alert-buttons" }, arm, off, edit, test, parts.delete),
  );
  return { row, parts, fired: "" };
}

function showFired(shown, { fired_at: firedAt, fired }) {
  const drawn = `${firedAt} ${fired}`;
  if (shown.fired !== drawn) {
    shown.fired = drawn;
    const times = fired > 1 ? `Fired ${fired} times, last ` : "Fired ";
    const words = firedAt === null ? [] : [times, balanceParts.moment(firedAt)];
    shown.parts.fired.replaceChildren(...words);
  }
}

function show(shown, alert, canChange) {
  const { parts } = shown;
  const { display, once, url, note, status, active } = alert;
  write(parts.condition, display.condition);
  const posted = url === null ? "" : `posted to ${hostOf(url)}`;
  write(parts.how, [once ? "once" : "every time", posted, note].filter(Boolean).join(" · "));
  write(parts.status, display.status);
  parts.status.dataset.status = alert.is_live ? status : "old";
  write(parts.now, alert.value === null ? "" : `${display.value}, ${display.distance}`);
  showFired(shown, alert);
  const hadFocus = [parts.arm, parts.off].includes(document.activeElement);
  parts.arm.hidden = active;
  parts.off.hidden = !active;
  hadFocus && (active ? parts.off : parts.arm).focus();
  for (const name of ["arm", "off", "edit", "test", "delete"]) {
    parts[name].setAttribute("aria-label", `${parts[name].title}: ${display.condition}`);
    parts[name].disabled = !canChange;
  }
}

function drawRows(within, { alerts, can_change: canChange, fault }, act) {
  const { make, arrange } = balanceParts;
  if (fault && !canChange) {
    within.replaceChildren(); // which there are is not known
    return;
  }
  if (!alerts.length) {
    if (!within.querySelector(".empty")) {
      within.replaceChildren(balanceTables.emptyState(EMPTY));
    }
    return;
  }
  if (!within.querySelector("ul")) {
    rows.clear();
    within.replaceChildren(make("ul", { class: "alerts-rows" }));
  }
  for (const alert of alerts) {
    rows.has(alert.id) || rows.set(alert.id, newRow(alert.id, act));
    show(rows.get(alert.id), alert, canChange);
  }
  const shown = alerts.map(({ id }) => rows.get(id).row);
  arrange(within.querySelector("ul"), shown);
}

function firing({ time, words, delivery }) {
  const { make, moment } = balanceParts;
  const sent = delivery && `${hostOf(delivery.url)}: ${delivery.words}`;
  return make(
    "li",
    { class: "alert-firing" },
    make("div", {}, words),
    make("div", { class: "alert-below" }, moment(time), sent ? ` · ${sent}` : ""),
  );
}

function drawLog(within, firings) {
  const drawn = JSON.stringify(firings);
  if (within.dataset.drawn === drawn) {
    return;
  }
  within.dataset.drawn = drawn;
  const { make } = balanceParts;
  const list = make("ul", { class: "alerts-firings" }, ...firings.map(firing));
  const heading = make("h3", { class: "alerts-heading" }, "What has fired");
  within.replaceChildren(...(firings.length ? [heading, list] : []));
}

export const balanceAlertList = { drawRows, drawLog };
