/* What other settings do to a page that is open already. */
import { balanceSettings } from "./settings.js";

const set = (id, value) => window.dash_clientside.set_props(id, value);

balanceSettings.follow((now, before) => {
  if (now.display.starting_balance !== before.display.starting_balance) {
    set("reset-fields", { data: { "reset-amount": now.display.starting_balance } });
  }
});
