"""README.md says what there is: routes, options, commands, ids, files and examples."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import app
from balance import Desk
from balance.alerts import file as alert_file
from balance.api.openapi import DESCRIPTION
from balance.api.stream import Stream
from balance.bots import file as bot_file
from balance.bots import log as bot_log
from balance.core.quote import Candle
from balance.core.settings import Settings, texts
from balance.desk import settings as settings_file
from balance.history import upkeep
from balance.market import board
from balance.performance import sample_file
from balance.server import follower as following
from balance.server.options import server_parser
from balance.shell import main as command
from balance.store import file_store
from balance.store.memory_store import MemoryStore
from balance.strategies.catalogue import BUILT_IN
from balance.strategies.own import OwnStrategies, asked
from balance.strategies.series import Candles
from balance.strategies.strategy import Holding, Kind
from layouts.live import ids_ending
from layouts.shell import shell
from layouts.tab import Tab
from layouts.tabs import TABS
from tests.accounts import MOMENT
from tests.markets import market
from tests.serving import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def _options(parser: Any) -> set[str]:
    return {
        option
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    }


def test_every_route_is_in_the_readme_and_every_route_in_it_exists() -> None:
    there = {
        f"{method.upper()} {path}"
        for path, methods in DESCRIPTION["paths"].items()
        for method in methods
    }
    told = set(re.findall(r"`((?:GET|POST|PUT|DELETE) /\S*)`", README))
    assert told == there


def test_every_option_of_the_server_is_in_the_readme_and_the_other_way_round() -> None:
    section = README.split("## Run it")[1].split("## Test it")[0]
    told = set(re.findall(r"^\| `(--[a-z-]+)", section, re.MULTILINE))
    assert told == _options(server_parser())


def test_every_command_and_its_options_are_in_the_readme() -> None:
    section = README.split("From a shell")[1].split("## A tab of your own")[0]
    commands = command._parser()._subparsers._group_actions[0].choices
    assert set(re.findall(r"^python -m balance ([\w-]+)", section, re.MULTILINE)) == set(commands)
    section += README.split("### Backtests")[1].split("### Signals from outside")[0]
    options = set().union(*(_options(each) for each in commands.values()))
    assert set(re.findall(r"--[a-z-]+", section)) == options


def test_every_id_in_the_readme_is_on_the_screen() -> None:
    layout = shell(TABS, {}, starting_balance="10000.00")
    there = set(ids_ending(layout, ""))
    section = README.split("Ids that programs may rely on:")[1].split("##")[0]
    named = re.findall(r"`([a-z-]+)`", section)
    prefixes = [each for each in named if each.endswith("-")]
    endings = [each for each in named if each.endswith("balance-btn")]
    plain = set(named) - set(prefixes) - set(endings)
    assert len(plain) == 9
    assert plain | {prefix + ending for prefix in prefixes for ending in endings} <= there


def test_every_file_of_the_account_is_in_the_readme() -> None:
    files = {
        file_store.ACCOUNT_FILE,
        file_store.LEDGER_FILE,
        file_store.ANSWER_FILE,
        file_store.LOCK_FILE,
        board.MARKET_FILE,
        board.FEED_FILE,
        following.MARKET_LOCK_FILE,
        bot_file.BOTS_FILE,
        bot_log.LOG_FILE,
        upkeep.INDEX_FILE,
        settings_file.SETTINGS_FILE,
        sample_file.EQUITY_FILE,
        alert_file.ALERTS_FILE,
    }
    section = README.split("| file in `data/` |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `([\w.]+)`", section, re.MULTILINE)) == files


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)]+)\)|`(tests/[\w/.]+)`", README))
def test_every_file_that_the_readme_names_exists(path: tuple[str, str]) -> None:
    assert (ROOT / (path[0] or path[1])).exists()


def test_the_bot_of_the_readme_runs(tmp_path: Path) -> None:
    code = re.findall(r"```python\n(from balance.*?)```", README, re.DOTALL)[0]
    code = code.replace("open_account()", f"open_account({str(tmp_path)!r})")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == "2"
    assert float(done.stdout.split()[0]) == 10_012.30


def test_the_trading_bot_of_the_readme_runs(tmp_path: Path) -> None:
    code = re.findall(r"```python\n(from balance import NoLivePrice.*?)```", README, re.DOTALL)[0]
    code = code.replace("open_account()", f"open_account({str(tmp_path)!r})")

    def run() -> str:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )
        return done.stdout

    assert "start it with python app.py" in run()
    board.save_market(tmp_path, market(), {})
    assert re.fullmatch(r"BTC/USDT 0\.01 -?\d.*\nSold 0\.005 BTC/USDT .*\n", run())


def test_the_strategy_of_the_readme_decides(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(\"\"\"[^`]*@strategy.*?)```", README, re.DOTALL)
    (tmp_path / "red.py").write_text(code)
    (kind,) = OwnStrategies(tmp_path).kinds()
    assert isinstance(kind, Kind), kind.error
    fell = [_candle(minute, 100 - minute, 99 - minute) for minute in range(5)]
    rose = _candle(5, 95, 97)
    made = kind.make({"count": 4})
    held = Holding(
        side="long", quantity=1.0, entry_price=95.0, unrealized_pnl=2.0, opened_at=rose.time
    )
    assert asked(made, Candles.of(fell), None).side == "buy"
    assert asked(made, Candles.of([*fell, rose]), held).side == "close"
    assert asked(made, Candles.of(fell[:3]), None).side == "hold"


def _candle(minute: int, opened: int, close: int) -> Candle:
    return Candle(
        time=MOMENT + timedelta(minutes=minute),
        open=Decimal(opened),
        high=Decimal(max(opened, close)),
        low=Decimal(min(opened, close)),
        close=Decimal(close),
        volume=Decimal(1),
    )


def test_every_setting_and_its_default_are_in_the_readme() -> None:
    section = README.split("### Settings")[1].split("###")[0]
    told = dict(re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|.*\| (\S+) \|$", section, re.MULTILINE))
    defaults = {name: text for names, text in told.items() for name in re.findall(r"\w+", names)}
    assert defaults == texts(Settings())


def test_every_built_in_strategy_is_in_the_readme() -> None:
    section = README.split("## Bots")[1].split("### A strategy of your own")[0]
    for kind in BUILT_IN:
        assert f"| {kind.name} |" in section


def test_every_shell_command_of_the_readme_is_one() -> None:
    section = README.split("From a shell")[1].split("```")[1]
    lines = [line for line in section.splitlines() if line.startswith("python -m balance")]
    assert len(lines) > 15
    for line in lines:
        command._parser().parse_args(command._negative_amounts(shlex.split(line)[3:]))


def test_the_tab_of_the_readme_is_fed() -> None:
    code = re.findall(r"```python\n(from dash import html.*?)```", README, re.DOTALL)[0]
    names: dict[str, Any] = {}
    exec(code, names)
    mine: Tab = names["MINE"]
    desk = Desk(MemoryStore())
    dash = app.create_app(desk, Stream(1), tabs=(*TABS, mine))
    page = dash.server.test_client().get("/_dash-layout", headers={"Host": "localhost"})
    assert '"children":"$10,000.00","id":"mine-equity"' in page.text
    assert dash.server.test_client().get("/mine", headers={"Host": "localhost"}).status_code == 200


def test_the_changelog_has_what_is_not_released() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"## Unreleased\n\n- \w+", changelog)
