"""The command line does what it says, exits with what holds, and never shows a traceback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from balance import open_account
from balance.shell.main import main
from balance.store.file_store import ACCOUNT_FILE, LEDGER_FILE, LOCK_FILE
from balance.store.lock import account_lock
from tests.processes import ROOT
from tests.writers import shell

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(folder: Path) -> Run:
    """Runs a command on the account in ``folder``; no command may end with a traceback."""

    def start(*words: str, **how: Any) -> subprocess.CompletedProcess[str]:
        done = shell(folder, *words, **how)
        assert "Traceback" not in done.stderr + done.stdout
        return done

    return start


class Said:
    """What one command in this process printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def call(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """As ``run``, but in this process: for tables of many commands."""

    def start(*words: str) -> Said:
        try:
            code = main([words[0], "--data-dir", str(folder), *words[1:]])
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        return Said(code, *capsys.readouterr())

    return start


def test_show_tells_the_account(run: Run) -> None:
    done = run("show")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"Wallet balance +\$10,000\.00\n", done.stdout)
    assert done.stdout.endswith("Epoch 1, revision 1.\n")


def test_show_in_json_has_the_snapshot(run: Run, folder: Path) -> None:
    done = run("show", "--json")
    shown = json.loads(done.stdout)
    assert set(shown) == {"status", *open_account(folder).snapshot()}
    assert (shown["status"], shown["balance"], shown["currency"]) == ("success", 10_000, "USDT")


def test_a_change_made_in_a_shell_is_there_for_every_program(run: Run, folder: Path) -> None:
    account = open_account(folder)
    done = run("adjust", "-12.30", "--note", "a loss")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Booked a loss of 12.30 USDT. Balance 9,987.70.\n"
    entry = account.history(limit=1).entries[0]
    assert (entry["source"], entry["note"]) == ("shell", "a loss")
    assert account.snapshot().display["balance"] == "$9,987.70"


@pytest.mark.parametrize(
    ("words", "said", "balance"),
    [
        (("set", "9500"), "Booked a loss of 500.00 USDT. Balance 9,500.00.", "9500"),
        (("set", "0"), "Booked a loss of 10,000.00 USDT. Balance 0.00.", "0"),
        (("adjust", "0.00000001"), "Booked a gain of 0.00000001 USDT.", "10000.00000001"),
        (("adjust", "-.5"), "Booked a loss of 0.50 USDT.", "9999.5"),
        (("adjust", "-1e3"), "Booked a loss of 1,000.00 USDT.", "9000"),
        (("adjust", "-5", "--note", "x"), "Booked a loss of 5.00 USDT.", "9995"),
        (("adjust", "--note", "-3 lost", "-5"), "Booked a loss of 5.00 USDT.", "9995"),
        (("adjust", "--note", "-3", "-5"), "Booked a loss of 5.00 USDT.", "9995"),
        (("adjust", "--if-match", "1", "-5"), "Booked a loss of 5.00 USDT.", "9995"),
        (("deposit", "250"), "Deposited 250.00 USDT. Balance 10,250.00.", "10250"),
        (("withdraw", "250"), "Withdrew 250.00 USDT. Balance 9,750.00.", "9750"),
        (("reset",), "Reset to 10,000.00 USDT. Epoch 2 begins", "10000"),
        (("reset", "77"), "Reset to 77.00 USDT. Epoch 2 begins", "77"),
    ],
)
def test_every_change_says_what_it_did(
    call: Callable[..., Said],
    folder: Path,
    words: Sequence[str],
    said: str,
    balance: str,
) -> None:
    done = call(*words)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(said)
    assert open_account(folder).snapshot().balance == Decimal(balance)
    again = json.loads(call("show", "--json").out)
    assert again["balance"] == float(balance)


def test_a_reset_is_undone_in_a_shell(call: Callable[..., Said], folder: Path) -> None:
    call("adjust", "-12.30")
    call("reset")
    done = call("undo-reset", "--note", "too early")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "The reset is undone: epoch 3 goes on where epoch 1 ended. Balance 9,987.70.\n"
    )
    entry = open_account(folder).history(limit=1).entries[0]
    assert (entry["source"], entry["note"]) == ("shell", "Epoch 1 goes on. too early")


@pytest.mark.parametrize("json_wanted", [True, False])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("undo-reset",), "There is no reset to undo: epoch 1 is the first of the account."),
        (("withdraw", "10000.01"), "needs 10,000.01 USDT, but only 10,000.00 are available"),
        (("adjust", "-10001"), "needs 10,001.00 USDT"),
        (("adjust", "0"), "must not be zero"),
        (("set", "-5"), "must not be negative, not -5.00"),
        (("reset", "-5"), "must not be negative"),
        (("deposit", "-5"), "must be above zero"),
        (("deposit", "much"), "must be a number such as 250 or 12.30, not 'much'"),
        (("deposit", "nan"), "must be a number"),
        (("deposit", "1e13"), "too large"),
        (("deposit", "5", "--if-match", "9"), "at revision 1, not 9"),
        (("deposit", "5", "--note", "a\nb"), "printable"),
        (("deposit", "5", "--note", "\udcff"), "printable"),
        (("deposit", "5", "--idempotency-key", ""), "must not be empty"),
        (("history", "--limit", "0"), "limit must be from 1 to 1,000"),
        (("history", "--limit", "-5"), "limit must be from 1 to 1,000"),
        (("history", "--kind", "nonsense"), "kind must be one of"),
        (("history", "--before", "x"), "before must be a revision"),
        (("history", "--epoch", "0"), "epoch must be 1 or more"),
    ],
)
def test_what_is_refused_exits_1_with_the_reason_and_changes_nothing(
    call: Callable[..., Said], words: Sequence[str], said: str, json_wanted: bool
) -> None:
    done = call(words[0], *(["--json"] if json_wanted else []), *words[1:])
    assert done.code == 1
    assert said in done.err
    if json_wanted:
        assert json.loads(done.out) == {"status": "error", "detail": done.err.rstrip("\n")}
    else:
        assert done.out == ""
    assert json.loads(call("show", "--json").out)["revision"] == 1


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("adjust",),
        ("adjust", "5", "6"),
        ("adjust", "-5", "-6"),
        ("deposit", "5", "--nonsense"),
        ("deposit", "5", "--if-match", "x"),
        ("show", "5"),
        ("history", "--limit", "many"),
        ("deposit", "-x"),
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_2_and_changes_nothing(
    call: Callable[..., Said], folder: Path, words: Sequence[str]
) -> None:
    done = call(*words)
    assert (done.code, done.out) == (2, "")
    assert "usage: python -m balance" in done.err
    assert not folder.exists() or open_account(folder).snapshot().revision == 1


def test_usage_of_the_program_itself(run: Run) -> None:
    assert run().returncode == 2
    helped = run("--help")
    assert helped.returncode == 0
    account = ("show", "set", "adjust", "deposit", "withdraw", "reset", "history", "verify")
    trading = ("prices", "order", "orders", "cancel", "positions", "close")
    for command in (*account, *trading):
        assert re.search(rf"\n    {command}\s", helped.stdout)


def test_a_repeated_key_is_told_and_changes_nothing(call: Callable[..., Said]) -> None:
    words = ("deposit", "5", "--idempotency-key", "k")
    assert call(*words).out == "Deposited 5.00 USDT. Balance 10,005.00.\n"
    again = call(*words)
    assert again.code == 0
    assert again.out.endswith("Done before with this key; nothing was changed now.\n")
    assert call("deposit", "6", "--idempotency-key", "k").code == 1
    assert json.loads(call("show", "--json").out)["balance"] == 10_005


def test_the_history_leads_through_its_pages(call: Callable[..., Said]) -> None:
    for amount in range(1, 6):
        call("deposit", str(amount), "--note", f"nr {amount}")
    listed = call("history", "--limit", "2").out.splitlines()
    assert [line.split()[0] for line in listed[:2]] == ["6", "5"]
    assert listed[0].endswith("shell   nr 5")
    assert listed[2] == "More with --before 5"
    page = json.loads(call("history", "--limit", "2", "--before", "5", "--json").out)
    assert [entry["revision"] for entry in page["entries"]] == [4, 3]
    assert page["next"] == "3"
    assert "More" not in call("history", "--before", "3").out
    assert call("history", "--kind", "fee").out == "No entries.\n"


@pytest.mark.parametrize("words", [("show",), ("deposit", "5"), ("history",), ("reset",)])
def test_a_damaged_account_exits_3_and_stays_as_it_is(
    run: Run, folder: Path, words: Sequence[str]
) -> None:
    open_account(folder)
    (folder / ACCOUNT_FILE).write_text("{")
    done = run(*words, "--json")
    assert done.returncode == 3
    assert "virtual_balance.json is not valid JSON" in done.stderr
    assert "python -m balance repair" in json.loads(done.stdout)["detail"]
    is_change = words[0] in ("deposit", "reset")
    assert ("Nothing was changed." in done.stderr) == is_change
    # a path only where the command that is advised needs it
    assert done.stderr.count(str(folder)) == done.stderr.count("--data-dir")
    assert (folder / ACCOUNT_FILE).read_text() == "{"


def test_a_lock_that_can_not_be_had_exits_3(
    call: Callable[..., Said], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_account(folder)
    monkeypatch.setattr(account_lock(folder / LOCK_FILE), "_timeout", 0.1)
    with FileLock(folder / LOCK_FILE, is_singleton=False):
        done = call("deposit", "5")
    assert done.code == 3
    assert "Nothing was changed; try again." in done.err


@pytest.mark.parametrize("words", [("show",), ("deposit", "5"), ("verify",), ("repair",)])
def test_a_file_in_the_folders_place_exits_3(
    call: Callable[..., Said], folder: Path, words: Sequence[str]
) -> None:
    folder.write_text("in the way")
    done = call(*words)
    assert (done.code, done.out) == (3, "")
    assert done.err.endswith(".\n") or "data folder" in done.err


@pytest.mark.parametrize("words", ["verify", "repair"])
def test_what_is_not_there_is_neither_verified_nor_made(
    call: Callable[..., Said], folder: Path, words: str
) -> None:
    done = call(words)
    assert done.code in (1, 3)
    assert f"{ACCOUNT_FILE} is missing" in done.out + done.err
    assert not folder.exists()


def test_verify_and_repair(run: Run, folder: Path) -> None:
    account = open_account(folder)
    assert run("verify").stdout.startswith("1 entry explains the balance of 10,000.00 USDT")
    account.deposit(5)
    whole = run("verify")
    assert (whole.returncode, whole.stderr) == (0, "")
    assert "2 entries explain the balance of 10,005.00 USDT at revision 2." in whole.stdout
    assert "Nothing to repair: balance 10,005.00 USDT." in run("repair").stdout

    (folder / ACCOUNT_FILE).write_text("{")
    faulty = run("verify", "--json")
    assert faulty.returncode == 1
    assert ACCOUNT_FILE in json.loads(faulty.stdout)["faults"][0]
    mended = run("repair")
    assert mended.returncode == 0
    assert "has 10,005.00 USDT at revision 3." in mended.stdout
    assert "Kept beside: virtual_balance.damaged-" in mended.stdout
    assert run("verify").returncode == 0

    (folder / ACCOUNT_FILE).write_text("{")
    (folder / LEDGER_FILE).write_text("{")
    assert run("verify").returncode == 1
    lost = run("repair")
    assert lost.returncode == 3
    assert "can't be rebuilt" in lost.stderr


def test_letters_that_the_output_has_not_are_written_otherwise(run: Run) -> None:
    narrow = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    assert run("set", "0", "--note", "\u017elu\u0165", env=narrow).returncode == 0
    assert run("reset", "0", env=narrow).returncode == 0
    shown = run("show", env=narrow)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "P&L" in shown.stdout
    listed = run("history", env=narrow)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "\\u017elu\\u0165" in listed.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("at_once", [{}, {"PYTHONUNBUFFERED": "1"}])
@pytest.mark.parametrize("words", [("show",), ("history", "--json"), ("verify",)])
def test_an_answer_that_can_not_be_written_is_no_success(
    folder: Path, words: Sequence[str], at_once: dict[str, str]
) -> None:
    open_account(folder)
    # as in a terminal that nobody told to print at once, and in one that somebody did
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "balance", *words, "--data-dir", str(folder)],
            cwd=ROOT,
            env={**usual, **at_once},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr == "The answer could not be printed: No space left on device.\n"
