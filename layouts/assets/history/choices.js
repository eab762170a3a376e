/* The filters of History in words: what each is called, what may be chosen, and how a choice reads. */
(() => {
  "use strict";

  const FIELDS = {
    kind: { name: "What", manner: "several" },
    side: { name: "Side", manner: "several" },
    reason: { name: "Type", manner: "several" },
    outcome: { name: "Outcome", manner: "one" },
    symbol: { name: "Symbol", manner: "several" },
    owner: { name: "Whose", manner: "several" },
    source: { name: "From", manner: "several" },
    epoch: { name: "Epoch", manner: "epoch" },
    time: { name: "Dates", manner: "dates" },
    amount: { name: "Amount", manner: "amounts" },
  };
  // which fields a table has, in their order
  const OF = {
    ledger: ["kind", "symbol", "time", "amount", "owner", "source", "epoch"],
    fills: ["symbol", "side", "reason", "amount", "time", "owner", "epoch"],
    trades: ["outcome", "symbol", "side", "amount", "time", "owner", "epoch"],
    epochs: ["time", "amount", "epoch"],
  };
  const TEXT = { ledger: "Note", fills: "Text", trades: "Reason", epochs: "" };
  // what of the query a field stands for
  const MEMBERS = { time: ["from", "to"], amount: ["least", "most"] };
  const SIDES = { fills: { buy: "Buy", sell: "Sell" }, trades: { long: "Long", short: "Short" } };

  const seen = { symbol: new Set(), owner: new Map([["you", "You"]]) };

  const given = () => JSON.parse(document.getElementById("history-filters").dataset.choices);

  /* Remembers whose rows were seen, and in what, so that it can be chosen. */
  function learn(rows) {
    for (const { symbol, owner, bot, name } of rows) {
      symbol && seen.symbol.add(symbol);
      const whose = owner ?? bot;
      whose && whose !== "you" && seen.owner.set(whose, name || whose);
    }
  }

  function learnBots(bots) {
    bots.forEach(({ id, name }) => seen.owner.set(id, name));
  }

  /* What may be chosen of a field of a table: values and words. */
  function options(field, table, chosen = "") {
    const known = {
      side: SIDES[table],
      owner: Object.fromEntries(seen.owner),
      ...given(),
    }[field];
    const more = field === "symbol" ? [...seen.symbol] : [];
    const listed = [...more, ...chosen.split(",").filter(Boolean)].map((each) => [each, each]);
    return Object.entries({ ...Object.fromEntries(listed), ...known });
  }

  const moment = (iso) => iso.replace("T", " ").replace(/(:00)?(\.\d+)?Z?$/, "");
  // a minute that is listed to its end is written without its seconds
  const endMoment = (iso) => moment(iso.replace(/:59\.999Z$/, ":00Z"));
  const amountName = (table) => ({ fills: "Realised P&L", trades: "P&L", epochs: "P&L" })[table] ?? "Amount";

  const SENTENCES = {
    epoch: (value) => `Epoch ${value}`,
    from: (value) => `From ${moment(value)} UTC`,
    to: (value) => `To ${endMoment(value)} UTC`,
    least: (value, table) => `${amountName(table)} from ${value}`,
    most: (value, table) => `${amountName(table)} to ${value}`,
    text: (value, table) => `${TEXT[table]} has “${value}”`,
    after: (value) => `After revision ${value}`,
    until: (value) => `Up to revision ${value}`,
  };

  /* How a filter that is set reads. */
  function sentence(name, value, table) {
    if (name in SENTENCES) {
      return SENTENCES[name](value, table);
    }
    const words = Object.fromEntries(options(name, table));
    const named = value.split(",").map((each) => words[each] ?? each);
    return `${FIELDS[name].name}: ${named.join(", ")}`;
  }

  window.balanceHistoryChoices = {
    FIELDS,
    OF,
    TEXT,
    MEMBERS,
    amountName,
    options,
    sentence,
    learn,
    learnBots,
  };
})();
