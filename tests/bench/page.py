"""How long the page takes to show what happens, beside a work tree of an older commit.

    .venv/bin/python tests/bench/page.py --base ../before

Both trees serve accounts of their own on the simulated market, by turns, to the same browser: how
long a change takes to every live text, how long the tabs take to their first figures and rows with
a million entries, and how long each dialog and filter takes from a click to its result while four
pages are open. Times are by the page's own clock. ``--quick`` does a little of each; ``--only``
does one of them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import propagation
from tests.conftest import BLANK, started_browser
from tests.ledgers import write_ledger

_HERE: Final = Path(__file__).resolve().parents[2]
_ENTRIES: Final = 1_000_000
_OTHER_PAGES: Final = 3

Found = dict[str, list[float]]


class Measure(NamedTuple):
    """How much is measured."""

    turns: int
    posts: int
    visits: int
    clicks: int
    entries: int


_WHOLE: Final = Measure(turns=4, posts=50, visits=3, clicks=10, entries=_ENTRIES)
_QUICK: Final = Measure(turns=2, posts=20, visits=1, clicks=4, entries=20_000)

#: Of each tab: its path, and what holds once its first figures and its first rows are there.
_TABS: Final[Mapping[str, tuple[str, str, str]]] = MappingProxyType(
    {
        "Overview": (
            "/",
            "/\\d/.test(document.getElementById('overview-balance')?.textContent)",
            "!!document.querySelector('#overview-ledger a')",
        ),
        "Auto Trading": (
            "/auto",
            "/\\d/.test(document.getElementById('auto-balance-display')?.textContent)",
            "!!document.querySelector('.keys-table tbody tr')",
        ),
        "Futures Trading": (
            "/futures",
            "/\\d/.test(document.getElementById('futures-virtual-balance')?.textContent)",
            "!!document.querySelector('#futures-positions .ag-row .ag-cell')",
        ),
        "History": (
            "/history",
            "/\\d/.test(document.getElementById('virtual-balance')?.textContent)",
            "!!document.querySelector('#history-grid .ag-row[row-id] .ag-cell')",
        ),
    }
)


class Action(NamedTuple):
    """What a person does on the tab at ``path``: ``click`` does it, and ``shown`` holds once its
    result is there; ``back`` undoes it, and ``gone`` holds once that is done."""

    path: str
    click: str
    shown: str
    back: str = ""
    gone: str = ""


def _press(selector: str) -> str:
    return f"document.querySelector({json.dumps(selector)}).click()"


def _dialog(path: str, opens: str, dialog: str, content: str = "") -> Action:
    """The dialog with the id ``dialog``, with its ``content``, which a click on ``opens`` opens."""
    inside = f"#{dialog} {content}".strip()
    shown = f"document.querySelector({json.dumps(inside)})?.checkVisibility()"
    # a dialog of Bootstrap's, or one of the browser's own
    back = (
        f"(document.querySelector('.modal.show:has(#{dialog}) .btn-close') ?? "
        f"document.querySelector('#{dialog} .btn-close')).click()"
    )
    gone = f"!document.getElementById('{dialog}')?.checkVisibility()"
    return Action(path, _press(opens), shown, back, gone)


def _change(path: str, opens: Action, confirm: str) -> Action:
    """What the dialog that ``opens`` does once it is confirmed."""
    prepared = opens.click
    return Action(path, _press(confirm), opens.gone, prepared, opens.shown)


_RESET: Final = _dialog("/", "#sidebar-reset-balance-btn", "reset-dialog")
_MONEY: Final = _dialog("/", "#sidebar-money-btn", "money-dialog")
_FIRST_TIME: Final = "document.querySelector('#history-grid .ag-row[row-index=\"0\"]')?.textContent"


def _list_of(table: str, column: str) -> Action:
    """Another list of the history, and back to the ledger."""

    def shown(name: str) -> str:
        return (
            f"location.search {name} && document.querySelector("
            "'#history-grid .ag-row[row-index=\"0\"] .ag-cell') !== null"
        )

    return Action(
        "/history",
        _press(f'a[href="/history?table={table}"]'),
        shown(f"=== '?table={table}'") + f" && !!document.querySelector('[col-id={column}]')",
        _press('#history-panel a[href="/history"]'),
        # the fields of its filters follow the rows
        shown("=== ''")
        + " && document.querySelector('[col-id=kind]')"
        + " && !!document.querySelector('[data-field=kind]')",
    )


ACTIONS: Final[Mapping[str, Action]] = MappingProxyType(
    {
        "reset, opened": _RESET,
        "reset, done": _change("/", _RESET, "#reset-confirm"),
        "money, opened": _MONEY,
        "settings, opened": _dialog("/", "#settings-btn", "settings-dialog"),
        "alerts, opened": _dialog("/", "#alerts-btn", "alerts-dialog"),
        "help, opened": _dialog("/", "#help-btn", "help-dialog"),
        "derivation, opened": _dialog(
            "/", "#overview-balance", "derivation-dialog", "#derivation-body *"
        ),
        "entry, opened": _dialog("/", "#overview-ledger a", "entry-dialog", "dd"),
        "key, opened": _dialog("/auto", "#auto-new-key", "key-dialog"),
        "bot, opened": _dialog("/auto", "#auto-new-bot", "bot-dialog"),
        "list of fills": _list_of("fills", "price"),
        "list of orders": _list_of("orders", "state"),
        "ledger by kind": Action(
            "/history",
            "(() => { const field = document.querySelector('[data-field=kind]'); field.open = true;"
            "setTimeout(() => field.querySelector('input[value=deposit]').click()); })()",
            "location.search.includes('kind=deposit') && "
            f"/Deposit/.test({_FIRST_TIME} ?? '') && !/Loading/.test({_FIRST_TIME})",
            _press("#history-clear"),
            f"location.search === '' && !!({_FIRST_TIME})",
        ),
    }
)
# does a step, and says after how many milliseconds its result is there; null: it can't be done
_STEP: Final = """
    const [done] = arguments;
    const begin = performance.now();
    const look = () => {
        let isThere = false;
        try { isThere = %s; } catch {}
        if (isThere) done(performance.now() - begin);
        else if (performance.now() - begin > 5000) done(null);
        else setTimeout(look, 0);
    };
    try { %s; look(); } catch { done(null); }
"""
# notes at each frame what has come, so that nothing is asked of a page that is still at work
_WATCH: Final = """
    window.firstContent = {};
    const wanted = { figures: () => %s, rows: () => %s };
    const look = () => {
        for (const [name, is] of Object.entries(wanted)) {
            if (!(name in firstContent) && is()) firstContent[name] = performance.now();
        }
        if (Object.keys(firstContent).length < 2) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
"""


class Served:
    """The product of one tree, as it serves ``folder``."""

    def __init__(self, tree: Path, folder: Path) -> None:
        command = [sys.executable, "app.py", "--data-dir", str(folder), "--port", "0"]
        # what it says later is of no interest, and must not fill the pipe
        self._process = subprocess.Popen(
            command, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        self.url = next(word for word in line.split() if word.startswith("http://")).rstrip("/")
        self.port = int(self.url.rpartition(":")[2])

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def balance(self) -> str:
        """The wallet balance, as pages show it."""
        with urllib.request.urlopen(f"{self.url}/virtual_balance") as answer:
            return str(json.load(answer)["display"]["balance"])

    def post(self, body: Mapping[str, Any], path: str = "/virtual_balance") -> None:
        """Have it change the account."""
        headers = {"Content-Type": "application/json"}
        sent = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", sent, headers, method="POST")
        urllib.request.urlopen(request).close()


def main() -> None:
    """Measure both trees by turns and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", type=Path, default=_HERE, help="the other work tree (this one)")
    parser.add_argument("--quick", action="store_true", help="a little of each")
    parser.add_argument("--only", choices=[*_MEASURES], help="one of them alone")
    options = parser.parse_args()
    measure = _QUICK if options.quick else _WHOLE
    trees = {"before": options.base.resolve(), "now": _HERE}
    for name, take in _MEASURES.items():
        if options.only in (None, name):
            print(f"\n{name}, before and now by turns:", flush=True)
            _print(take(trees, measure))


def _propagation(trees: Mapping[str, Path], measure: Measure) -> dict[str, Found]:
    found: dict[str, Found] = {name: {"deposit to all live texts": []} for name in trees}
    missed = dict.fromkeys(trees, 0)
    for _ in range(measure.turns):
        for name, tree in trees.items():
            with _serving(tree) as served:
                times, lost = propagation.measured(
                    served.balance, served.url, served.port, measure.posts, 0.25
                )
            found[name]["deposit to all live texts"] += times
            missed[name] += lost
    print(f"missed: {missed}")
    return found


def _first_contents(trees: Mapping[str, Path], measure: Measure) -> dict[str, Found]:
    found: dict[str, Found] = {name: {} for name in trees}
    with tempfile.TemporaryDirectory() as whole, ExitStack() as running:
        written = Path(whole) / "written"
        write_ledger(written, measure.entries)
        served = {}
        for name, tree in trees.items():
            folder = Path(whole) / name
            shutil.copytree(written, folder)
            served[name] = running.enter_context(Served(tree, folder))
            _open_position(served[name])
        for _ in range(measure.turns):
            for name, server in served.items():
                for tab, (path, figures, rows) in _TABS.items():
                    for _ in range(measure.visits):
                        visit = _visited(server.url + path, figures, rows)
                        for part, time in visit.items():
                            found[name].setdefault(f"{tab}: first {part}", []).append(time)
    return found


def _visited(address: str, figures: str, rows: str) -> dict[str, float]:
    """When a new browser has each part of a tab, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder, started_browser(BLANK, folder) as browser:
        script = {"source": _WATCH % (figures, rows)}
        browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", script)
        browser.driver.get(address)
        return dict(
            browser.driver.execute_async_script(
                """
                const [done] = arguments;
                const look = () => Object.keys(firstContent).length === 2
                    || performance.now() > 30000 ? done(firstContent) : setTimeout(look, 100);
                look();
                """
            )
        )


def _clicks(trees: Mapping[str, Path], measure: Measure) -> dict[str, Found]:
    found: dict[str, Found] = {name: {} for name in trees}
    with ExitStack() as running:
        served = {name: running.enter_context(_serving(tree)) for name, tree in trees.items()}
        for _ in range(measure.turns):
            for name, server in served.items():
                with tempfile.TemporaryDirectory() as folder:
                    for action, times in _clicked(server, folder, measure.clicks).items():
                        found[name].setdefault(action, []).extend(times)
    return found


def _clicked(server: Served, folder: str, clicks: int) -> Found:
    """How long each action takes in one of four pages of a browser."""
    found: Found = {}
    with started_browser(server.url, folder) as browser:
        driver = browser.driver
        first = driver.current_window_handle
        for _ in range(_OTHER_PAGES):
            driver.switch_to.new_window("window")
            driver.get(server.url)
        driver.switch_to.window(first)
        driver.set_script_timeout(30)
        path = None
        for name, action in ACTIONS.items():
            if action.path != path:
                path = action.path
                driver.get(server.url + path)
                browser.wait_for_text_to_equal("#link-state", "Live")
            is_prepared = action.shown == _RESET.gone
            found[name] = []
            if is_prepared:
                _step(driver, action.back, action.gone)
            for number in range(clicks + 1):
                time = _step(driver, action.click, action.shown)
                # the first one loads what the others have
                if number and time is not None:
                    found[name].append(time)
                if time is None or _step(driver, action.back, action.gone) is None:
                    break
            if is_prepared:
                _step(driver, _RESET.back, _RESET.gone)
    return found


def _step(driver: Any, step: str, holds: str) -> float | None:
    """After how many milliseconds ``step`` has come to what ``holds``; None where it does not."""
    time: float | None = driver.execute_async_script(_STEP % (holds, step))
    return time


@contextmanager
def _serving(tree: Path) -> Iterator[Served]:
    with tempfile.TemporaryDirectory() as folder, Served(tree, Path(folder)) as served:
        served.post({"deposit": 10})
        _open_position(served)
        yield served


def _open_position(served: Served) -> None:
    order = {"symbol": "BTC/USDT", "side": "buy", "quantity": 0.01, "leverage": 10}
    served.post(order, "/orders")


def _print(found: Mapping[str, Found]) -> None:
    print(f"{'':34}{'before':>18}{'now':>20}{'ratio':>8}")
    for name in found["now"]:
        sides = [found[side].get(name, []) for side in ("before", "now")]
        texts = [
            f"{statistics.median(each):7.1f} ({_p95(each):7.1f})" if each else "not there"
            for each in sides
        ]
        ratio = (
            f"{statistics.median(sides[1]) / statistics.median(sides[0]):8.2f}"
            if all(sides)
            else ""
        )
        print(f"{name:34}{texts[0]:>18}{texts[1]:>20}{ratio}", flush=True)
    print("milliseconds: median (p95)")


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]


_MEASURES: Final[Mapping[str, Callable[[Mapping[str, Path], Measure], dict[str, Found]]]] = (
    MappingProxyType(
        {
            "propagation": _propagation,
            "first contents": _first_contents,
            "clicks": _clicks,
        }
    )
)


if __name__ == "__main__":
    main()
