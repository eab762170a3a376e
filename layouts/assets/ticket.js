/* The order ticket: what it asks the server for, and the preview of what that would do. */
(() => {
  "use strict";

  const PREVIEW_PAUSE_MS = 150;
  const REFRESH_MS = 1000;
  const FIELDS = ["quantity", "notional", "margin", "fee", "cost", "liquidation_price", "available_after"];
  const PRICES = {
    limit: ["Limit price", "price"],
    stop_market: ["Trigger price, by the mark", "trigger_price"],
    take_profit_market: ["Trigger price, by the mark", "trigger_price"],
  };
  const SIDES = { buy: "Buy / Long", sell: "Sell / Short" };

  const { jsonNumber, carryOut } = window.balanceRequests;
  const noUpdate = () => window.dash_clientside.no_update;
  const place = (id) => document.getElementById(id);

  let form = null; // what is in the fields
  let placing = null; // the order that is on its way
  let timer = null;
  let asked = 0;
  let previewed = 0; // when the last preview came

  // the order as JSON, or [null, what is missing]
  function orderOf({ symbol, side, type, price, size, unit, leverage, options, takeProfit, stopLoss }) {
    const members = [
      `"symbol": ${JSON.stringify(symbol)}`,
      `"side": "${side}"`,
      `"type": "${type}"`,
      `"leverage": ${Number(leverage)}`,
    ];
    const numbers = [[unit, size, "a size"]];
    if (type in PRICES) {
      numbers.push([PRICES[type][1], price, PRICES[type][0].toLowerCase()]);
    }
    if (options.includes("bracket")) {
      numbers.push(["take_profit", takeProfit, null], ["stop_loss", stopLoss, null]);
    }
    for (const [name, typed, what] of numbers) {
      if (what === null && !String(typed ?? "").trim()) {
        continue;
      }
      const number = jsonNumber(typed);
      if (number === null) {
        return [null, String(typed ?? "").trim() ? notANumber(typed) : `Enter ${what}.`];
      }
      members.push(`"${name}": ${number}`);
    }
    if (options.includes("reduce_only")) {
      members.push('"reduce_only": true');
    }
    return [`{${members.join(", ")}}`, ""];
  }

  const notANumber = (typed) => `${typed} is no number: write it with digits and a point, such as 0.25.`;

  function note(words, kind = "") {
    const element = place("futures-ticket-note");
    element.textContent = words;
    element.dataset.kind = kind;
  }

  function show(preview) {
    for (const field of FIELDS) {
      place(`futures-preview-${field}`).textContent = preview?.display[field] ?? "–";
    }
  }

  async function preview() {
    const number = ++asked;
    const [body, missing] = orderOf(form);
    previewed = Date.now();
    if (body === null) {
      show(null);
      note(missing.startsWith("Enter") ? "" : missing, "error");
      return;
    }
    try {
      const response = await fetch("/orders/preview", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
        signal: AbortSignal.timeout(4000),
      });
      const answer = await response.json();
      if (number !== asked) {
        return;
      }
      show(response.ok ? answer : null);
      if (!response.ok) {
        note(answer.detail, "error");
      } else if (!answer.affordable) {
        const { cost, available } = answer.display;
        note(`This needs ${cost}, but only ${available} are available.`, "error");
      } else {
        note(answer.warning, "warning");
      }
    } catch {
      number === asked && show(null);
    }
  }

  function previewSoon() {
    clearTimeout(timer);
    timer = setTimeout(preview, PREVIEW_PAUSE_MS);
  }

  function limits(symbol) {
    return window.balanceState.snapshot?.market.prices[symbol];
  }

  // the leverage that what is open of a symbol has: one symbol has one
  function leverageInUse(symbol) {
    const { positions = [], open_orders: orders = [] } = window.balanceState.snapshot ?? {};
    const opening = orders.filter((each) => !each.reduce_only);
    return [...positions, ...opening].find((each) => each.symbol === symbol)?.leverage;
  }

  function holdLeverage() {
    const used = leverageInUse(form.symbol);
    const field = place("futures-leverage");
    if (used !== undefined && Number(form.leverage) !== used) {
      window.dash_clientside.set_props("futures-leverage", { value: used });
    }
    field.disabled = used !== undefined;
    const words = used === undefined ? `${form.leverage}x` : `${used}x, as what is open`;
    window.balanceLive.write(place("futures-leverage-words"), words);
  }

  /* What the fields say of themselves, and the preview of what they ask for. */
  function describe(symbol, side, type, price, size, unit, leverage, options, takeProfit, stopLoss) {
    form = { symbol, side, type, price, size, unit, leverage, options, takeProfit, stopLoss };
    place("futures-price-field").hidden = !(type in PRICES);
    place("futures-price-label").textContent = PRICES[type]?.[0] ?? "";
    place("futures-bracket").hidden = !options.includes("bracket");
    holdLeverage();
    place("futures-leverage").max = limits(symbol)?.max_leverage ?? place("futures-leverage").max;
    const base = limits(symbol)?.base ?? symbol?.split("/")[0];
    const [first] = place("futures-unit").options;
    first.textContent = base;
    const submit = place("futures-submit");
    submit.textContent = `${SIDES[side]} ${base}`;
    submit.dataset.side = side;
    previewSoon();
    return noUpdate();
  }

  async function placeOrder() {
    const [body, missing] = orderOf(form);
    if (body === null) {
      note(missing, "error");
      return noUpdate();
    }
    const button = place("futures-submit");
    button.disabled = true;
    const [done, words] = await carryOut("POST", "/orders", body);
    button.disabled = false;
    if (!done) {
      note(words, "error");
      return noUpdate();
    }
    note("");
    // what is pressed before the field is empty asks for nothing more
    form = { ...form, size: "" };
    return "";
  }

  /* Places the order, one at a time: the size that stays in its field. */
  async function submit() {
    if (form === null) {
      return noUpdate();
    }
    placing ??= placeOrder().finally(() => (placing = null));
    return placing;
  }

  // a share of what is available
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-share]");
    if (button !== null) {
      window.dash_clientside.set_props("futures-unit", { value: "percent" });
      window.dash_clientside.set_props("futures-size", { value: button.dataset.share });
    }
  });

  // while something is in the ticket, its preview follows the price
  window.balanceState.follow(() => {
    form !== null && holdLeverage();
    const isFilled = form !== null && String(form.size ?? "").trim() !== "";
    const isSeen = !place("futures-panel").hidden && document.visibilityState === "visible";
    if (isFilled && isSeen && Date.now() - previewed > REFRESH_MS) {
      preview();
    }
  });

  window.dash_clientside = { ...window.dash_clientside, ticket: { describe, submit } };
})();
