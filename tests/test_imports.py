"""Arrows point inward: what each part of the product may know of the others."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import ROOT

PACKAGES = ("balance", "layouts", "callbacks")
FILES = sorted(
    [ROOT / "app.py", *(file for name in PACKAGES for file in (ROOT / name).rglob("*.py"))]
)
OURS = {"balance", "layouts", "callbacks", "app", "tests"}
# what a pure function may not know of: files, threads, clocks, chance, the network, the screen
IMPURE = {
    *("os", "pathlib", "io", "shutil", "tempfile", "threading", "asyncio", "time", "random"),
    *("secrets", "socket", "subprocess", "flask", "dash", "filelock", "waitress", "logging"),
}


def module_of(file: Path) -> str:
    """The name by which ``file`` is imported."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_by(tree: ast.AST) -> Iterator[str]:
    """The modules that a file imports, wherever in it; a name from a package counts as one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


TREES = {module_of(file): ast.parse(file.read_text()) for file in FILES}
IMPORTS = {module: sorted(imported_by(tree)) for module, tree in TREES.items()}


def within(name: str, parts: tuple[str, ...]) -> bool:
    """Whether ``name`` is one of ``parts`` or in it."""
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def imports_of(part: str) -> set[tuple[str, str]]:
    """Who imports what in ``part``."""
    found = {
        (module, name) for module in IMPORTS if within(module, (part,)) for name in IMPORTS[module]
    }
    assert found, f"there is no {part}"
    return found


def wrong(part: str, *, allowed: tuple[str, ...]) -> list[tuple[str, str]]:
    """The imports of ``part`` from our own packages and third parties beyond ``allowed``."""
    return sorted(
        (module, name)
        for module, name in imports_of(part)
        if name.split(".")[0] not in sys.stdlib_module_names - OURS
        and name.split(".")[0] != "__future__"
        and not within(name, allowed)
    )


@pytest.mark.parametrize(
    ("part", "allowed"),
    [
        # which of it may know of arrays and indicators is said below
        ("balance.core", ("balance.core", "numpy", "talib")),
        ("balance.strategies.own", ("balance.core",)),
        ("balance.store", ("balance.core", "balance.store", "filelock")),
        # an exchange is talked to through ccxt and a file is read by polars, which are loaded then
        ("balance.feeds", ("balance.core", "balance.feeds", "ccxt", "polars")),
        ("balance.history.pages", ("balance.core", "balance.store")),
        ("balance.market.board", ("balance.core", "balance.store")),
        (
            "balance.index",
            ("balance.core", "balance.store", "balance.background.pace", "balance.index"),
        ),
        ("balance.desk.settings", ("balance.core", "balance.store")),
        ("balance.desk.news", ("balance.core", "balance.store")),
        ("balance.desk.transactions", ("balance.core", "balance.store", "balance.desk.news")),
        ("balance.desk.trading", ("balance.core", "balance.desk.transactions")),
        (
            "balance.desk.desk",
            (
                *(
                    "balance.core",
                    "balance.store",
                    "balance.history.pages",
                    "balance.desk.settings",
                ),
                *("balance.market.board", "balance.desk.transactions", "balance.desk.trading"),
                # what other programs know of the past; it knows of no desk
                "balance.performance.baselines.FilePast",
                *("balance.history.index.Index", "balance.history.upkeep.INDEX_FILE"),
            ),
        ),
        ("balance.server.watch", ("balance.core", "balance.desk.desk")),
        (
            "balance.server.engine",
            ("balance.core", "balance.market.feed", "balance.market.board", "balance.desk.desk"),
        ),
        (
            "balance.api",
            (
                *("balance.core", "balance.desk.transactions", "balance.desk.desk", "balance.api"),
                # names only
                *("balance.history.pages.Page", "balance.bots.signals.MEMBERS"),
                *("balance.alerts.alert.MOST_FIRINGS", "balance.alerts.alert.DeliveryState"),
                *(f"balance.performance.curve.{each}" for each in ("MARKED", "RANGES")),
                *(f"balance.performance.curve.{each}" for each in ("MOST_MARKS", "MOST_POINTS")),
                *("flask", "werkzeug", "simplejson"),
            ),
        ),
        (
            "balance.shell.parts",
            ("balance.desk.transactions", "balance.desk.desk", "balance.api.encoding"),
        ),
        ("balance.shell.trade", ("balance.core", "balance.shell.parts")),
        ("balance.background.pace", ()),
        ("balance.backtests.candles", ("balance.core", "balance.feeds")),
        (
            "balance.backtests.candle_files",
            (
                "balance.core",
                "balance.feeds",
                "balance.background.pace",
                "balance.backtests.candles",
            ),
        ),
        (
            "balance.backtests.jobs",
            (
                *(
                    "balance.core",
                    "balance.strategies.own",
                    "balance.background.pace",
                    "balance.backtests.candles",
                ),
                "balance.backtests.candle_files",
            ),
        ),
        (
            "balance.bots",
            (
                *(
                    "balance.core",
                    "balance.store.disk",
                    "balance.history.pages.Page",
                    "balance.desk.desk",
                ),
                *("balance.strategies.own", "balance.bots"),
            ),
        ),
        (
            "balance.alerts",
            (
                *("balance.core", "balance.store.disk", "balance.desk.desk", "balance.alerts"),
                # what posts to the addresses that a person names
                *("requests", "simplejson"),
            ),
        ),
        ("balance.equity", ("balance.core", "balance.desk.desk", "balance.equity")),
        ("balance.shell.alerts", ("balance.alerts.followed", "balance.shell.parts")),
        (
            "balance.server.follower",
            ("balance.core", "balance.market.board", "balance.desk.desk", "filelock"),
        ),
        # what puts the parts together knows all of them but those that ask
        (
            "balance.server.assembly",
            (
                *("balance.core", "balance.store", "balance.feeds", "balance.history.pages"),
                *(
                    "balance.market.board",
                    "balance.desk.desk",
                    "balance.server.engine",
                    "balance.server.follower",
                ),
                *("balance.strategies.own", "balance.bots", "balance.backtests.jobs"),
                *("balance.alerts", "balance.equity", "balance.index"),
                *("balance.api.services", "balance.api.stream", "filelock"),
                *("balance.desk.settings", "balance.api.settings_routes.settings_document"),
            ),
        ),
        (
            "balance.shell.backtest",
            (
                *(
                    "balance.core",
                    "balance.feeds",
                    "balance.market.board",
                    "balance.backtests.candles",
                ),
                *("balance.strategies.own", "balance.shell.parts", "balance.desk.settings"),
                *("balance.bots.rows.strategy_row", "balance.store.advice"),
            ),
        ),
        # what it does is loaded when it is asked for
        ("balance.shell.backtest_options", ("balance.shell.parts", "balance.shell.backtest")),
        (
            "balance.shell.settings",
            ("balance.core", "balance.shell.parts", "balance.desk.settings"),
        ),
        (
            "balance.shell.main",
            (
                *("balance.core", "balance.desk.desk", "balance.store.recovery"),
                "balance.store.advice",
                *("balance.shell.parts", "balance.shell.trade", "balance.shell.backtest_options"),
                "balance.shell.settings",
                "balance.shell.alerts",
            ),
        ),
        (
            "layouts",
            (
                "layouts",
                *("balance.core.figures", "balance.core.currencies"),
                *("balance.core.snapshot", "balance.core.settings", "balance.history.ledger_rows"),
                # names only
                *("balance.core.rows.PRICE_FIELDS", "balance.core.wallet.EVENTS"),
                "balance.core.wallet.OPENINGS",
                *("dash", "dash_bootstrap_components", "dash_ag_grid", "dash_tvlwc"),
            ),
        ),
        (
            "callbacks",
            ("callbacks", "layouts", "dash", "flask", "werkzeug"),
        ),
        (
            "app",
            (
                *("balance", "layouts", "callbacks"),
                *("dash", "flask", "flask_bootstrap", "waitress", "filelock"),
            ),
        ),
    ],
)
def test_a_part_imports_nothing_but_what_lies_further_in(
    part: str, allowed: tuple[str, ...]
) -> None:
    assert wrong(part, allowed=allowed) == []


def test_the_core_knows_of_no_files_threads_clock_or_chance() -> None:
    assert [(m, n) for m, n in imports_of("balance.core") if n.split(".")[0] in IMPURE] == []


def test_the_core_asks_no_clock_and_opens_no_file() -> None:
    asked = [
        (module, ast.unparse(node))
        for module, tree in TREES.items()
        if within(module, ("balance.core",))
        for node in ast.walk(tree)
        if asks_or_opens(node)
    ]
    assert asked == []


def asks_or_opens(node: ast.AST) -> bool:
    """Whether ``node`` asks a clock, opens a file or prints. A field may be named ``open``, and an
    argument ``now``."""
    match node:
        case ast.Attribute(attr="now" | "utcnow" | "today" | "print"):
            return True
        case ast.Name(id="utcnow" | "today" | "print"):
            return True
        case ast.Call(func=ast.Name(id="open") | ast.Attribute(attr="open")):
            return True
        case _:
            return False


@pytest.mark.parametrize(
    ("code", "found"),
    [
        *((code, True) for code in ("datetime.now(UTC)", "clock = datetime.now", "date.today()")),
        *((code, True) for code in ("open('x')", "path.open()", "print(1)", "file = print")),
        *((code, False) for code in ("candle.open", "placed(now)", "open: Decimal", "reopen(1)")),
    ],
)
def test_the_search_for_clocks_and_files_tells_them_from_fields(code: str, found: bool) -> None:
    assert any(asks_or_opens(node) for node in ast.walk(ast.parse(code))) == found


def test_only_strategies_know_of_arrays_and_only_built_in_ones_of_indicators() -> None:
    strategies = ("balance.strategies.series", "balance.strategies.reasons")
    for library, allowed in (("numpy", strategies), ("talib", strategies[1:])):
        knowing = {m for name in PACKAGES for m, n in imports_of(name) if within(n, (library,))}
        assert knowing
        assert [module for module in knowing if not within(module, allowed)] == []


def test_what_exists_without_a_screen_knows_of_none() -> None:
    screen = ("dash", "dash_bootstrap_components", "layouts", "callbacks", "app")
    assert [(m, n) for m, n in imports_of("balance") if within(n, screen)] == []


def test_only_the_interface_knows_of_flask() -> None:
    knowing = {m for m, n in imports_of("balance") if within(n, ("flask", "werkzeug"))}
    assert all(within(module, ("balance.api",)) for module in knowing)
    assert knowing


def test_callbacks_are_registered_on_the_app_they_are_given() -> None:
    # the first app of a process would drain dash's own list, and a second would get none
    taken = [
        (module, name)
        for module, names in IMPORTS.items()
        for name in names
        if name in ("dash.callback", "dash.clientside_callback") or name.startswith("dash._")
    ]
    called = [
        (module, ast.unparse(node))
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in ("dash.callback", "dash.clientside_callback")
    ]
    assert taken + called == []


def test_every_part_has_a_name_that_says_what_it_is() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "base", "shared"}
    assert [module for module in TREES if vague & set(module.split("."))] == []


def test_there_is_no_code_among_the_data() -> None:
    code = {".py", ".pyc", ".js", ".sh"}
    assert [file for file in (ROOT / "data").rglob("*") if file.suffix in code] == []


def test_no_two_modules_need_each_other() -> None:
    needs = {
        module: {
            next(other for other in (name, name.rpartition(".")[0]) if other in TREES)
            for name in names
            if name in TREES or name.rpartition(".")[0] in TREES
        }
        for module, names in IMPORTS.items()
    }

    def reached(module: str, seen: set[str]) -> set[str]:
        for other in needs[module] - seen:
            seen |= {other}
            reached(other, seen)
        return seen

    # a package names its modules; that its modules need each other is what counts
    assert [module for module in TREES if module in reached(module, set())] == []


def test_a_program_that_opens_the_account_loads_no_web_server_and_no_indicators() -> None:
    # a clean process: this one has loaded them all
    loaded = subprocess.run(
        [sys.executable, "-c", "import balance, sys; print('\\n'.join(sys.modules))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    screen = {"flask", "dash", "werkzeug", "waitress", "plotly", "simplejson", "numpy", "talib"}
    assert "balance.desk.desk" in loaded
    assert not screen & {name.split(".")[0] for name in loaded}


def test_a_command_that_tests_no_strategy_loads_no_arrays() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import balance.shell.main, sys; print('\\n'.join(sys.modules))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "balance.shell.backtest_options" in loaded
    assert not {"numpy", "talib"} & set(loaded)


def test_only_the_posts_of_the_alerts_ask_other_servers() -> None:
    knowing = {m for name in PACKAGES for m, n in imports_of(name) if within(n, ("requests",))}
    assert knowing == {"balance.alerts.post"}


def test_a_program_that_reads_no_file_and_asks_no_exchange_loads_no_library_for_it() -> None:
    feeds = sorted(module for module in TREES if within(module, ("balance.feeds",)))
    loaded = subprocess.run(
        [sys.executable, "-c", f"import {', '.join(feeds)}, sys; print('\\n'.join(sys.modules))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert set(feeds) <= set(loaded)
    assert not {"ccxt", "polars"} & {name.split(".")[0] for name in loaded}


def test_a_server_that_reads_no_file_loads_no_library_for_it() -> None:
    # TA-Lib would load it
    loaded = subprocess.run(
        [sys.executable, "-c", "import app, sys; print('\\n'.join(sys.modules))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "talib" in loaded
    assert not {"ccxt", "polars"} & {name.split(".")[0] for name in loaded}


def test_only_the_tables_of_files_know_of_polars() -> None:
    knowing = {m for name in PACKAGES for m, n in imports_of(name) if within(n, ("polars",))}
    assert knowing == {"balance.market.replay.text_table"}


def test_of_the_callbacks_only_their_guard_knows_of_flask() -> None:
    knowing = {m for m, n in imports_of("callbacks") if within(n, ("flask", "werkzeug"))}
    assert knowing == {"callbacks.guard"}
