"""The data folder of the running product: whose its files are, what dead writers left in it, and
what becomes of a request when something else is in the place of a file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from balance.alerts.state import ALERTS_FILE
from balance.bots.log import LOG_FILE
from balance.bots.state import BOTS_FILE
from balance.desk.settings import SETTINGS_FILE
from balance.history.index import INDEX_FILE
from balance.market.board import FEED_FILE, MARKET_FILE
from balance.performance.sample_rows import EQUITY_FILE
from balance.server.market_lock import MARKET_LOCK_FILE
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE, LOCK_FILE
from tests.patience import wait_for
from tests.serving import ROOT, Server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no modes, links and pipes")

#: Every file that the product has once somebody has used all of it.
FILES = (
    *(ACCOUNT_FILE, LEDGER_FILE, ANSWER_FILE, LOCK_FILE, SETTINGS_FILE, MARKET_FILE, FEED_FILE),
    *(MARKET_LOCK_FILE, BOTS_FILE, LOG_FILE, ALERTS_FILE, EQUITY_FILE, INDEX_FILE),
)
CHANGES: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/virtual_balance", {"deposit": 5}),
    ("PUT", "/settings", {"decimals": 4}),
    (
        "POST",
        "/bots",
        {"name": "Trend", "symbol": "BTC/USDT", "strategy": "ema_crossover", "stake": 12.34},
    ),
    (
        "POST",
        "/alerts",
        {"what": "price", "symbol": "BTC/USDT", "direction": "above", "threshold": 9_000_000},
    ),
)


def use(server: Server) -> None:
    """Do with ``server`` what makes every file."""
    for method, path, body in CHANGES:
        answer = server.ask(method, path, body, headers={"Idempotency-Key": f"{method} {path}"})
        assert answer.ok, answer.text
    wait_for(lambda: all((server.folder / name).exists() for name in FILES), "every file")


def wide(folder: Path) -> set[str]:
    """The files that others may read or write."""
    return {each.name for each in folder.iterdir() if each.stat().st_mode & 0o077}


def test_every_file_is_its_owners_alone_in_a_folder_that_is(
    start_server: Callable[..., Server], folder: Path
) -> None:
    first = start_server()
    use(first)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert wide(folder) == set()
    assert {each.name for each in folder.iterdir()} > {*FILES, f"{INDEX_FILE}-wal"}
    first.kill()
    for each in folder.iterdir():
        each.chmod(0o644)
    folder.chmod(0o755)
    start_server()
    wait_for(lambda: not wide(folder), "files that are their owner's alone")
    assert folder.stat().st_mode & 0o777 == 0o755, "it may be meant for others"


def test_a_program_that_opens_the_account_keeps_its_own_modes(folder: Path) -> None:
    program = (
        "import os, sys, pathlib, balance; os.umask(0);"
        "account = balance.open_account(sys.argv[1]); account.deposit(5, idempotency_key='k');"
        "account.history(kind='deposit'); pathlib.Path(sys.argv[1], 'mine.txt').touch()"
    )
    subprocess.run([sys.executable, "-c", program, str(folder)], cwd=ROOT, check=True)
    assert wide(folder) == {"mine.txt"}


def test_what_dead_writers_left_of_any_file_is_swept(
    start_server: Callable[..., Server], folder: Path
) -> None:
    def left() -> set[str]:
        return {each.name for each in folder.glob(".*.abcdefgh.tmp")}

    folder.mkdir()
    for name in FILES:
        if not name.endswith((".lock", ".db")):
            (folder / f".{name}.abcdefgh.tmp").touch()
    before = left()
    server = start_server()
    use(server)
    assert (len(before), left()) == (9, set())


def test_a_digit_that_was_changed_in_bots_or_alerts_is_named_and_not_shown(
    start_server: Callable[..., Server], folder: Path
) -> None:
    first = start_server()
    use(first)
    assert first.get("/health").json()["damage"] == []
    first.stop()
    for name, digits, others in (
        (BOTS_FILE, "12.34", "92.34"),
        (ALERTS_FILE, "9000000", "8000000"),
    ):
        path = folder / name
        assert digits in path.read_text()
        path.write_text(path.read_text().replace(digits, others, 1))
    again = start_server()
    damage = again.get("/health").json()["damage"]
    assert [(each["file"], each["line"]) for each in damage] == [
        (BOTS_FILE, None),
        (ALERTS_FILE, None),
    ]
    assert all("does not match its checksum" in each["message"] for each in damage)
    assert again.get("/bots").json()["bots"] == again.get("/alerts").json()["alerts"] == []
    assert again.post({"deposit": 1}).ok


#: What may stand in the place of a file.
OBSTACLES: dict[str, Callable[[Path], Any]] = {
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to nowhere": lambda path: path.symlink_to("nowhere/at/all"),
    "an empty file": Path.touch,
}
READERS = (
    *("/virtual_balance", "/virtual_balance/history?limit=5", "/history/ledger", "/history/fills"),
    *("/history/trades", "/history/epochs", "/fills", "/settings", "/bots", "/bots/log"),
    *("/bots/trades", "/alerts", "/equity", "/performance", "/prices", "/health", "/"),
)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has every file."""
    with Server(tmp_path_factory.mktemp("used") / "account") as server:
        use(server)
        yield server


def check(answer: requests.Response) -> None:
    """``answer`` is one that somebody can act on."""
    place = f"{answer.request.method} {answer.request.path_url}: {answer.status_code} {answer.text}"
    assert answer.status_code < 500 or answer.status_code == 503, place
    if answer.status_code == 503:
        # A command that is advised names the folder.
        detail = re.sub(r"`[^`]*`", "", answer.json()["detail"])
        assert answer.headers["Retry-After"], place
        assert not re.search(r"Errno|Traceback|Error\b|/tmp", detail), place


@pytest.mark.parametrize("obstacle", OBSTACLES)
# A server whose lock on the market was taken ends, as another one may act.
@pytest.mark.parametrize("name", [each for each in FILES if each != MARKET_LOCK_FILE])
def test_whatever_stands_in_the_place_of_a_file_every_request_is_answered(
    used: Server, name: str, obstacle: str
) -> None:
    path, aside = used.folder / name, used.folder / "aside"
    path.rename(aside)
    key = {"Idempotency-Key": f"{name} {obstacle}"}
    try:
        with suppress(FileExistsError):  # The server was first.
            OBSTACLES[obstacle](path)
        for reader in READERS:
            check(used.get(reader))
        for method, place, body in CHANGES:
            check(used.ask(method, place, body, headers=key))
    finally:
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        aside.replace(path)
    answer = used.ask("POST", "/virtual_balance", {"deposit": 5}, headers=key)
    assert answer.ok, answer.text
