/* The page's own scripts, loaded before Dash draws it: those that no other one of them imports. */

import "./damage.js";
import "./details.js";
import "./elements.js";
import "./hold_still.js";
import "./icon.js";
import "./later.js";
import "./questions.js";
import "./reset.js";
import "./bots/rows.js";
import "./help/shortcuts.js";
import "./history/filters.js";
import "./notices/alerts.js";
import "./notices/news.js";
import "./overview/overview.js";
import { late } from "./clientside.js";

late("./curves.js", ["drawCurve"]);
late("./overview/range.js", ["drawRange"]);
late("./futures/book.js", ["chooseBook"], "/futures");
late("./futures/ticket.js", ["describeTicket", "fillShare"], "/futures");
late("./futures/chart.js", ["chooseChart"], "/futures");
late("./bots/candles.js", ["showSource", "sendCandles", "showRunning"]);
late("./settings/backup.js", ["downloadBackup", "restoreBackup"]);
