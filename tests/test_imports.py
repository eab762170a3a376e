"""Arrows point inward: what each part of the product may know of the others."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
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


MODULES = {module_of(file): file for file in FILES}


@cache
def trees() -> dict[str, ast.Module]:
    """The syntax of each module, by its name."""
    return {module: ast.parse(file.read_text()) for module, file in MODULES.items()}


@cache
def imports() -> dict[str, list[str]]:
    """What each module imports, by its name."""
    return {module: sorted(imported_by(tree)) for module, tree in trees().items()}


def within(name: str, parts: tuple[str, ...]) -> bool:
    """Whether ``name`` is one of ``parts`` or in it."""
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def imports_of(part: str) -> set[tuple[str, str]]:
    """Who imports what in ``part``."""
    found = {
        (module, name)
        for module in MODULES
        if within(module, (part,))
        for name in imports()[module]
    }
    assert found, f"there is no {part}"
    return found


#: Which folders and libraries each folder may import, from the innermost outward; a folder may
#: import itself. ``balance`` alone is ``open_account`` and the package's own names.
MAY_IMPORT = {
    "balance.core": (),
    "balance.background": (),
    "balance.store": ("core", "background", "filelock", "platformdirs"),
    "balance.strategies": ("core", "numpy", "talib"),
    "balance.market": ("core", "background", "store", "ccxt", "polars"),
    "balance.history": ("core", "background", "store"),
    "balance.desk": ("core", "background", "store", "market", "history"),
    "balance.bots": ("core", "background", "store", "strategies", "history", "desk"),
    "balance.alerts": ("core", "background", "store", "desk", "requests", "simplejson"),
    "balance.performance": ("core", "background", "store", "history", "desk"),
    "balance.keys": ("core", "background", "store", "history", "desk"),
    "balance.backtests": (
        *("core", "background", "store", "strategies", "market", "history", "desk"),
        *("bots", "performance"),
    ),
    "balance.api": (
        *("core", "background", "store", "strategies", "market", "history", "desk"),
        *("bots", "alerts", "performance", "keys", "backtests"),
        *("flask", "werkzeug", "simplejson", "pydantic"),
    ),
    "balance.binance": (
        *("core", "background", "store", "market", "history", "desk", "keys", "api"),
        *("flask", "werkzeug", "aiohttp"),
    ),
    "balance.agents": (
        *("core", "background", "store", "strategies", "market", "history", "desk"),
        *("bots", "alerts", "performance", "keys", "backtests", "api"),
        *("open_account", "anyio", "mcp", "mcp_types", "requests"),
    ),
    "balance.server": (
        *("core", "background", "store", "strategies", "market", "history", "desk"),
        *("bots", "alerts", "performance", "keys", "backtests", "api", "binance", "filelock"),
    ),
    "balance.shell": (
        *("core", "background", "store", "strategies", "market", "history", "desk"),
        *("bots", "alerts", "performance", "keys", "backtests", "api", "agents", "open_account"),
    ),
    "balance": ("balance",),
    "layouts": (
        *("core", "history", "bots", "alerts", "performance"),
        *("dash", "dash_bootstrap_components", "dash_ag_grid"),
    ),
    "callbacks": (
        *("core", "strategies", "market", "history", "desk", "bots", "alerts", "performance"),
        *("keys", "backtests", "api", "layouts", "dash", "flask", "werkzeug"),
    ),
    "app": (
        *("balance", "layouts", "callbacks"),
        *("dash", "flask", "flask_bootstrap", "waitress", "filelock"),
    ),
}

STRATEGIES = "balance.strategies"

#: The pure modules: no file, thread, clock, chance or network; time, quotes and disk are arguments.
PURE = (
    "balance.core",
    *("balance.bots.rules", "balance.bots.settings", "balance.bots.bot"),
    *("balance.keys.key", "balance.keys.rows"),
    *("balance.alerts.rules", "balance.alerts.readings", "balance.alerts.messages"),
    # A person's own strategies are files; all others are pure, also those that are added.
    *(each for each in MODULES if each.startswith(f"{STRATEGIES}.") and not each.endswith(".own")),
    *("balance.backtests.backtest", "balance.backtests.report", "balance.backtests.quiet_band"),
    *(
        f"balance.performance.{each}"
        for each in (
            *("sample", "drawdown", "thinning", "even_points", "results", "figures", "derivations"),
            *("account_figures", "epochs"),
        )
    ),
    *(f"balance.history.{each}" for each in ("columns", "epochs", "question", "rows")),
    *(
        f"balance.binance.{each}"
        for each in (
            *("ids", "names", "numbers", "errors", "call"),
            *("order_rows", "account_rows", "market_rows", "exchange_info"),
            *("streams.account_events", "streams.market_events"),
        )
    ),
)


def folder_of(module: str) -> str:
    """The row of :data:`MAY_IMPORT` that ``module`` belongs to."""
    return max((name for name in MAY_IMPORT if within(module, (name,))), key=len)


def test_every_module_has_a_row_in_the_table() -> None:
    assert {folder_of(module) for module in MODULES} == set(MAY_IMPORT)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_only_what_the_table_allows(folder: str) -> None:
    inner = [name for name in MAY_IMPORT[folder] if f"balance.{name}" in MODULES]
    outer = [name for name in MAY_IMPORT[folder] if name not in inner]
    allowed = (folder, *(f"balance.{name}" for name in inner), *outer)
    wrong = [
        (module, name)
        for module in MODULES
        if folder_of(module) == folder
        for name in imports()[module]
        if name.split(".")[0] not in sys.stdlib_module_names - OURS and not within(name, allowed)
    ]
    assert wrong == []


def test_the_table_goes_inward() -> None:
    rows = list(MAY_IMPORT)
    outward = [
        (folder, name)
        for index, folder in enumerate(rows)
        for name in MAY_IMPORT[folder]
        if f"balance.{name}" in rows[index:]
    ]
    assert outward == []


def test_pure_modules_import_no_files_threads_clock_or_chance() -> None:
    impure = [
        (module, name)
        for part in PURE
        for module, name in imports_of(part)
        if name.split(".")[0] in IMPURE
    ]
    assert impure == []


def test_pure_modules_read_no_clock_and_open_no_file() -> None:
    found = [
        (module, ast.unparse(node))
        for module, tree in trees().items()
        if within(module, PURE)
        for node in ast.walk(tree)
        if asks_or_opens(node)
    ]
    assert found == []


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


def test_only_built_in_strategies_use_indicators() -> None:
    users = {m for m, n in imports_of(STRATEGIES) if within(n, ("talib",))}
    assert users
    assert not users & {f"{STRATEGIES}.{each}" for each in ("own", "series", "strategy")}


def test_what_exists_without_a_screen_knows_of_none() -> None:
    screen = ("dash", "dash_bootstrap_components", "layouts", "callbacks", "app")
    assert [(m, n) for m, n in imports_of("balance") if within(n, screen)] == []


def test_only_the_interface_knows_of_flask() -> None:
    knowing = {m for m, n in imports_of("balance") if within(n, ("flask", "werkzeug"))}
    assert all(within(module, ("balance.api", "balance.binance")) for module in knowing)
    assert knowing


def test_callbacks_are_registered_on_the_app_they_are_given() -> None:
    # the first app of a process would drain dash's own list, and a second would get none
    taken = [
        (module, name)
        for module, names in imports().items()
        for name in names
        if name in ("dash.callback", "dash.clientside_callback") or name.startswith("dash._")
    ]
    called = [
        (module, ast.unparse(node))
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in ("dash.callback", "dash.clientside_callback")
    ]
    assert taken + called == []


def test_every_part_has_a_name_that_says_what_it_is() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "base", "shared"}
    assert [module for module in MODULES if vague & set(module.split("."))] == []


def test_there_is_no_code_among_the_data() -> None:
    code = {".py", ".pyc", ".js", ".sh"}
    assert [file for file in (ROOT / "data").rglob("*") if file.suffix in code] == []


def test_no_two_modules_need_each_other() -> None:
    needs = {
        module: {
            next(other for other in (name, name.rpartition(".")[0]) if other in MODULES)
            for name in names
            if name in MODULES or name.rpartition(".")[0] in MODULES
        }
        for module, names in imports().items()
    }

    def reached(module: str, seen: set[str]) -> set[str]:
        for other in needs[module] - seen:
            seen |= {other}
            reached(other, seen)
        return seen

    # a package names its modules; that its modules need each other is what counts
    assert [module for module in MODULES if module in reached(module, set())] == []


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
    # an agent's program asks that of its own folder
    assert knowing == {"balance.alerts.delivery", "balance.agents.running_server"}


def test_a_program_that_reads_no_file_and_asks_no_exchange_loads_no_library_for_it() -> None:
    feeds = sorted(module for module in MODULES if within(module, ("balance.market",)))
    loaded = subprocess.run(
        [sys.executable, "-c", f"import {', '.join(feeds)}, sys; print('\\n'.join(sys.modules))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert set(feeds) <= set(loaded)
    assert not {"ccxt", "polars", "pandas"} & {name.split(".")[0] for name in loaded}


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
    assert not {"ccxt", "polars", "pandas"} & {name.split(".")[0] for name in loaded}


def test_only_the_tables_of_files_know_of_polars() -> None:
    knowing = {m for name in PACKAGES for m, n in imports_of(name) if within(n, ("polars",))}
    assert knowing == {"balance.market.replay.table"}


def test_of_the_callbacks_only_their_guard_knows_of_flask() -> None:
    knowing = {m for m, n in imports_of("callbacks") if within(n, ("flask", "werkzeug"))}
    assert knowing == {"callbacks.guard"}
