/* What other settings do to a page that is open already. */
(() => {
  "use strict";

  const set = (id, value) => window.dash_clientside.set_props(id, value);

  window.balanceSettings.follow((now, before) => {
    if (now.display.starting_balance !== before.display.starting_balance) {
      set("reset-starting-balance", { data: now.display.starting_balance });
    }
  });
})();
