"""Programs that share an account with the tests: started beside them, and killed by some."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import requests

from balance.core import operations
from balance.core.errors import StoreBusy
from balance.open_account import open_account
from balance.store.codec import decode_state
from balance.store.file_store import ACCOUNT_FILE, LOCK_FILE, FileStore
from balance.store.lock import AccountLock, account_lock
from tests.patience import patience
from tests.processes import ROOT

#: The exit code of a program that died where it was told to.
DEAD: Final = 9
_BUSY: Final = "Nothing was changed; try again."


def shell(folder: Path, *words: str, **how: object) -> subprocess.CompletedProcess[str]:
    """``python -m balance`` with ``words``, on the account in ``folder``."""
    command = [sys.executable, "-m", "balance", *words]
    place = ["--data-dir", str(folder)] if words and not words[0].startswith("-") else []
    command[4:4] = place
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=patience(), check=False, **how
    )  # type: ignore[call-overload,no-any-return]


def hold_lock(folder: Path, told: Connection) -> None:
    """Hold the account's lock until told to let go."""
    with account_lock(folder / LOCK_FILE):
        told.send("held")
        told.recv()


def commit_as(folder: Path, name: str, times: int) -> None:
    """Commit ``times`` changes in the account in ``folder`` as fast as can be, noted ``name``."""
    account = open_account(folder)
    for _ in range(times):
        account.adjust(1, note=name)


def adjust_by_module(folder: Path, amounts: list[str]) -> None:
    """Book ``amounts`` one by one, as another Python program does; where the lock can't be had
    in time, nothing was changed, and it tries again."""
    account, left = open_account(folder), list(amounts)
    while left:
        with suppress(StoreBusy):
            account.adjust(left[0])
            del left[0]


def adjust_by_http(url: str, amounts: list[str]) -> None:
    """Book ``amounts`` one by one with requests to the server at ``url``."""
    left = list(amounts)
    with requests.Session() as session:
        while left:
            answer = session.post(
                f"{url}/virtual_balance",
                data=f'{{"adjust": {left[0]}}}',
                headers={"Content-Type": "application/json"},
                timeout=patience(),
            )
            if answer.ok:
                del left[0]
            elif _BUSY not in answer.text:
                raise RuntimeError(answer.text)


def adjust_by_shell_and_module(folder: Path, by_shell: int, amounts: list[str]) -> None:
    """Book ``amounts`` one by one, the first ``by_shell`` of them with the command line."""
    left = amounts[:by_shell]
    while left:
        done = shell(folder, "adjust", left[0])
        if done.returncode == 0:
            del left[0]
        elif _BUSY not in done.stderr:
            raise RuntimeError(done.stderr)
    adjust_by_module(folder, amounts[by_shell:])


def read_raw(folder: Path, told: Connection) -> None:
    """Read the account's file all the time until told to stop; tells how often, and whether a
    read saw less than a whole account, or an older one than the read before."""
    reads, newest, broken = 0, 0, ""
    told.send("reading")
    while not told.poll(0.001) and not broken:
        text = (folder / ACCOUNT_FILE).read_bytes()
        try:
            state, sealed = decode_state(text)
        except Exception as fault:
            broken = repr(fault)
            break
        if not sealed or state.revision < newest:
            broken = f"sealed {sealed}, revision {state.revision} after {newest}"
        reads, newest = reads + 1, state.revision
    told.send((reads, broken))


def commit_forever(folder: Path, told: Connection, first: int) -> None:
    """Deposit ``first``, ``first + 1``, … cents, each with a key of its own, and tell each change
    that was acknowledged."""
    account = open_account(folder)
    for cents in itertools.count(first):
        told.send(("asking", cents))
        seen = account.deposit(Decimal(cents) / 100, idempotency_key=f"deposit-{cents}")
        told.send(("done", cents, seen.revision, seen.balance))


def die_at_step(folder: Path, step: int, undoing: bool = False) -> None:
    """Deposit 5 with the key ``k``, or undo the last reset with it, and die right before the
    step-th thing done to the disk; ends as usual where there are fewer."""
    account, left = open_account(folder), itertools.count(step - 1, -1)

    def mortal(function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **how: Any) -> Any:
            if not next(left):
                os._exit(DEAD)
            return function(*args, **how)

        return run

    for owner, name in ((tempfile, "mkstemp"), (os, "fsync"), (os, "replace"), (Path, "open")):
        setattr(owner, name, mortal(getattr(owner, name)))
    if undoing:
        account.undo_reset(idempotency_key="k")
    else:
        account.deposit(5, idempotency_key="k")


def fork_while_a_thread_holds_the_lock(folder: Path, told: Connection) -> None:
    """Fork while another thread holds the lock: the child must neither hang, nor get in, nor take
    the lock away from its parent."""
    store = FileStore(folder)
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with account_lock(folder / LOCK_FILE):
            held.set()
            let_go.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        with suppress(BaseException):
            try:
                with AccountLock(folder / LOCK_FILE, timeout=0.1):
                    told.send("got in")
            except StoreBusy:
                told.send("kept out")
            store.commit(partial(operations.adjust, amount=5), source="child")
            told.send("committed")
        os._exit(0)
    told.recv()
    let_go.set()
    thread.join()
    os.waitpid(child, 0)


def change_and_tell(folder: Path, told: Connection) -> None:
    """Adjust by one whenever told to, and tell which revision that made."""
    account = open_account(folder)
    told.send("ready")
    while told.recv():
        told.send(account.adjust(1).revision)
