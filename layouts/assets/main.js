/* The page's own scripts, loaded before Dash draws it. */

import "./address.js";
import "./balance.js";
import "./damage.js";
import "./details.js";
import "./dialogs.js";
import "./elements.js";
import "./hold_still.js";
import "./icon.js";
import "./later.js";
import "./live.js";
import "./questions.js";
import "./requests.js";
import "./reset.js";
import "./screen.js";
import "./toasts.js";
import "./bots/rows.js";
import "./help/shortcuts.js";
import "./history/filters.js";
import "./notices/alerts.js";
import "./notices/news.js";
import "./notices/notices.js";
import "./overview/overview.js";
import "./settings/settings.js";
import { late } from "./clientside.js";

late("./curves.js", ["drawCurve"]);
late("./overview/range.js", ["drawRange"]);
late("./futures/book.js", ["chooseBook"], "/futures");
late("./futures/ticket.js", ["describeTicket", "fillShare"], "/futures");
late("./futures/trade.js", ["rested", "nameClosing", "goToClosing"]);
late("./futures/chart.js", ["chooseChart"], "/futures");
late("./bots/candles.js", ["showSource", "sendCandles", "showRunning"]);
late("./settings/backup.js", ["downloadBackup", "restoreBackup"]);
