"""A person's own strategies: whatever their files hold, the rest goes on and they are told why."""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

import balance.strategies.strategy
from balance.core.errors import InvalidRequest
from balance.strategies import own as own_strategies
from balance.strategies.catalogue import BUILT_IN
from balance.strategies.own import Broken, Catalogue, Guarded, OwnStrategies, ask_strategy
from balance.strategies.series import Candles
from balance.strategies.strategy import Holding, Kind, Signal, StrategyFault
from tests.patience import patience
from tests.test_strategy import closing

CANDLES = Candles.of(closing([10.0, 11.0, 12.0, 13.0]))
ONE = """
from __future__ import annotations
from dataclasses import dataclass
from typing import ClassVar
from balance import Signal, parameter, strategy

@strategy("Three in a row", "Buys after rising candles.")
class InARow:
    count: int = parameter(3, least=2, most=20, label="Rising candles")
    lookback: ClassVar[int] = 20

    def decide(self, candles, position):
        rising = (candles[-self.count:].close > candles[-self.count:].open).all()
        return Signal("buy", 1, f"{self.count} rising candles") if rising else None
"""
BARE = '''
"""Buys on Mondays.

And on other days too.
"""
from balance import Signal

lookback = 7

def decide(candles, position):
    return Signal("buy", 0.5, f"close {candles.close[-1]:g}")
'''
TWO = ONE + ONE.replace("InARow", "Other").replace("from __future__ import annotations", "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a person keeps strategies."""
    folder = tmp_path / "my strategies"
    folder.mkdir()
    return folder


def written(folder: Path, text: str, name: str = "mine.py") -> OwnStrategies:
    """The strategies of ``folder`` with one more file."""
    (folder / name).write_text(text, encoding="utf-8")
    return OwnStrategies(folder)


def only(own: OwnStrategies) -> Any:
    """The only one there is."""
    (kind,) = own.kinds()
    return kind


def test_a_class_in_a_file_is_a_strategy(folder: Path) -> None:
    kind = only(written(folder, ONE))
    assert isinstance(kind, Kind)
    assert (kind.id, kind.name, kind.own) == ("own_mine", "Three in a row", True)
    assert [each.name for each in kind.parameters] == ["count"]
    made = kind.make({"count": 2})
    assert ask_strategy(made, CANDLES, None) == Signal("buy", 1, "2 rising candles")
    assert balance.strategies.strategy.lookback_of(made) == 20


def test_a_plain_function_is_a_strategy_with_the_name_of_its_file(folder: Path) -> None:
    kind = only(written(folder, BARE, "on_mondays.py"))
    assert (kind.id, kind.name) == ("own_on_mondays", "On mondays")
    assert kind.words == "Buys on Mondays."
    assert kind.parameters == ()
    assert ask_strategy(kind.make({}), CANDLES, None) == Signal("buy", 0.5, "close 13")
    assert balance.strategies.strategy.lookback_of(kind.make({})) == 7


def test_of_several_in_a_file_each_has_an_id_of_its_own(folder: Path) -> None:
    kinds = written(folder, TWO + BARE).kinds()
    assert [kind.id for kind in kinds] == [
        "own_mine_in_a_row",
        "own_mine_other",
        "own_mine_decide",
    ]


def test_what_a_file_only_imports_is_not_its_own(folder: Path) -> None:
    text = "from balance.strategies.ema_crossover import EmaCrossover\n"
    broken = only(written(folder, text))
    assert isinstance(broken, Broken)
    assert "mine.py has no strategy" in broken.error


def test_other_files_are_left_alone(folder: Path) -> None:
    for name in ("_part.py", ".hidden.py", "notes.txt"):
        (folder / name).write_text("raise ValueError")
    (folder / "folder.py").mkdir()
    assert only(written(folder, ONE)).id == "own_mine"
    assert not (folder / "__pycache__").exists()


def test_a_folder_that_is_not_there_has_no_strategies(tmp_path: Path) -> None:
    assert OwnStrategies(None).kinds() == ()
    assert OwnStrategies(tmp_path / "nowhere").kinds() == ()
    (tmp_path / "file").touch()
    assert OwnStrategies(tmp_path / "file").kinds() == ()


def test_a_changed_file_is_loaded_anew_and_an_unchanged_one_is_not(folder: Path) -> None:
    own = written(folder, ONE)
    before = own.kinds()
    assert own.kinds()[0] is before[0]
    status = (folder / "mine.py").stat()
    # as large, and within the same second: no compiled code may be taken for it
    (folder / "mine.py").write_text(ONE.replace("Three in", "Seven in"))
    os.utime(folder / "mine.py", ns=(status.st_atime_ns, status.st_mtime_ns + 1000))
    assert only(own).name == "Seven in a row"
    assert ask_strategy(before[0].make({}), CANDLES, None).side == "buy"  # type: ignore[union-attr]
    (folder / "mine.py").unlink()
    assert own.kinds() == ()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("def decide(:\n", "SyntaxError"),
        ("import nowhere_to_be_found", "ModuleNotFoundError"),
        ("\n\n1 / 0", "line 3, in <module>\n    1 / 0\nZeroDivisionError: division by zero"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise TimeoutError('late')", "TimeoutError: late"),
        ("def f(): f()\nf()", "RecursionError"),
        ("class E(Exception):\n def __str__(self): raise ValueError\nraise E", "E: <exception"),
        ("raise ValueError('\\ud800')", "ValueError: ?"),
        ("x = '\0'", "null bytes"),
        ("raise OSError(2, 'No such file', __file__)", "No such file: 'mine.py'"),
        ("try:\n 1/0\nexcept Exception as e:\n raise KeyError('k') from e", "direct cause"),
        (ONE.replace("parameter(3, ", "parameter(30, "), "the default 30 is not a whole number"),
        (ONE.replace("def decide", "def other"), "InARow has no method decide"),
        ("x = 1", "mine.py has no strategy"),
    ],
)
def test_a_file_that_cannot_be_loaded_says_why(folder: Path, text: str, error: str) -> None:
    (folder / "good.py").write_text(ONE)
    good, broken = written(folder, text).kinds()
    assert isinstance(good, Kind)
    assert isinstance(broken, Broken)
    assert (broken.id, broken.name) == ("own_mine", "Mine")
    assert error in broken.error
    assert str(folder) not in broken.error
    assert str(Path(own_strategies.__file__).parent) not in broken.error
    assert "frozen" not in broken.error
    assert "own_strategies.py" not in broken.error
    assert len(broken.error) <= 4000


def test_a_file_in_no_encoding_or_that_cannot_be_read_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "mine.py").write_bytes(b"x = '\xff'")
    assert "SyntaxError" in only(OwnStrategies(folder)).error

    def denied(loader: object, path: str) -> bytes:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(own_strategies._Loader, "get_data", denied)
    assert only(OwnStrategies(folder)).error.endswith("Permission denied: 'mine.py'")


def test_a_file_that_vanishes_while_the_folder_is_read_is_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "gone.py").symlink_to(folder / "nowhere.py")
    assert [kind.id for kind in written(folder, ONE).kinds()] == ["own_mine"]


def test_a_file_that_never_finishes_loading_stops_nothing_else(folder: Path) -> None:
    (folder / "slow.py").write_text("import time\ntime.sleep(2)")
    (folder / "quick.py").write_text(ONE)
    quick, slow = OwnStrategies(folder, timeout=0.1).kinds()
    assert isinstance(quick, Kind)
    assert isinstance(slow, Broken)
    assert slow.error == "slow.py took longer than 0.1 s to load"


def test_a_mended_file_is_whole_again(folder: Path) -> None:
    own = written(folder, "1 / 0")
    assert isinstance(only(own), Broken)
    (folder / "mine.py").write_text(ONE)
    assert isinstance(only(own), Kind)


def test_many_threads_load_a_file_once(folder: Path) -> None:
    log = folder / "log"
    own = written(folder, f"with open({str(log)!r}, 'a') as log:\n log.write('x')\n{BARE}")
    found: list[Any] = []
    threads = [Thread(target=lambda: found.append(own.kinds())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.read_text() == "x"
    assert len({kinds[0].made_by for kinds in found}) == 1


def test_the_catalogue_has_the_built_in_ones_first(folder: Path) -> None:
    catalogue = Catalogue(written(folder, ONE))
    assert catalogue.all()[:-1] == BUILT_IN == Catalogue().all()
    assert catalogue.kind("own_mine").own
    assert catalogue.kind("ema_crossover") is BUILT_IN[0]


def test_the_catalogue_says_what_there_is_and_why_one_is_broken(folder: Path) -> None:
    (folder / "mine_too.py").write_text(ONE)
    catalogue = Catalogue(written(folder, "1 / 0"))
    with pytest.raises(InvalidRequest, match=r"no strategy 'nothing'\. There are ema_"):
        catalogue.kind("nothing")
    for wanted in ("own_mine", "own_mine_in_a_row"):
        with pytest.raises(InvalidRequest, match="Mine cannot be used: ZeroDivisionError: div"):
            catalogue.kind(wanted)
    assert catalogue.kind("own_mine_too").id == "own_mine_too"


class Says:
    """Answers what it was made with, or fails with it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def decide(self, candles: Candles, position: Holding | None) -> Any:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer() if callable(self.answer) else self.answer


def test_none_is_as_good_as_hold() -> None:
    assert ask_strategy(Says(None), CANDLES, None) == Signal("hold", 0, "Nothing to say")


@pytest.mark.parametrize("answer", ["buy", True, 1, ("buy", 1, ""), Signal])
def test_an_answer_that_is_no_signal_is_a_fault(answer: Any) -> None:
    says = Says(lambda: answer)
    with pytest.raises(StrategyFault, match="decide must return a Signal or None"):
        ask_strategy(says, CANDLES, None)


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), GeneratorExit(), MemoryError()])
def test_whatever_a_strategy_raises_is_a_fault(error: BaseException) -> None:
    with pytest.raises(StrategyFault, match=type(error).__name__):
        ask_strategy(Says(error), CANDLES, None)


def test_an_interrupt_from_the_keyboard_is_none() -> None:
    with pytest.raises(KeyboardInterrupt):
        ask_strategy(Says(KeyboardInterrupt()), CANDLES, None)
    # but nobody at the keyboard interrupts the thread of a strategy
    with pytest.raises(StrategyFault, match="KeyboardInterrupt"):
        Guarded(Says(KeyboardInterrupt())).decide(CANDLES, None)


def test_a_fault_tells_the_lines_of_the_strategy_and_no_folder(folder: Path) -> None:
    kind = only(written(folder, BARE.replace("    return", "    1 / 0\n    return")))
    for ask in (lambda: ask_strategy(kind.make({}), CANDLES, None), lambda: _guarded(kind)):
        with pytest.raises(StrategyFault) as caught:
            ask()
        text = str(caught.value)
        assert text.startswith('Traceback (most recent call last):\n  File "mine.py", line 11, in')
        assert text.endswith("    1 / 0\nZeroDivisionError: division by zero")
        assert caught.value.__cause__ is None


def _guarded(kind: Kind) -> Signal:
    return Guarded(kind.make({})).decide(CANDLES, None)


def test_a_guarded_strategy_is_always_asked_in_one_thread_of_its_own() -> None:
    threads: list[int] = []
    guarded = Guarded(Says(lambda: threads.append(threading.get_ident())))
    for _ in range(3):
        assert guarded.decide(CANDLES, None).side == "hold"
    assert len(set(threads)) == 1
    assert threading.get_ident() not in threads


def test_a_strategy_that_hangs_is_left_and_never_asked_again() -> None:
    go, calls = Event(), []
    guarded = Guarded(Says(lambda: calls.append(go.wait(patience()))), timeout=0.05)
    with pytest.raises(StrategyFault, match=r"^took longer than 0\.05 s$"):
        guarded.decide(CANDLES, None)
    go.set()
    with pytest.raises(StrategyFault, match=r"took longer than 0.05 s before, and is not asked"):
        guarded.decide(CANDLES, None)
    assert len(calls) <= 1


def test_a_strategy_that_failed_is_asked_again() -> None:
    answers = iter([lambda: 1 / 0, lambda: Signal("sell")])
    guarded = Guarded(Says(lambda: next(answers)()))
    with pytest.raises(StrategyFault, match="ZeroDivisionError"):
        guarded.decide(CANDLES, None)
    assert guarded.decide(CANDLES, None).side == "sell"


def test_the_thread_of_a_strategy_ends_with_it() -> None:
    threads: list[Thread] = []
    guarded = Guarded(Says(lambda: threads.append(threading.current_thread())))
    guarded.decide(CANDLES, None)
    assert threads[0].is_alive()
    del guarded
    gc.collect()
    threads[0].join(patience())
    assert not threads[0].is_alive()
