"""Tests wait for states: none is judged by how fast a machine is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests import patience as patience_module
from tests.patience import patience, wait_for

#: What would measure a time, or give something so many seconds.
_MEASURES: Final = re.compile(
    r"time\.(monotonic|perf_counter|process_time|thread_time)\(\)|timeout=\d\d\b(?! \*)|"
    r"deadline=|\.(join|wait|poll|wait_for_rules)\([1-9]|wait_for\(.*, \d+\)$",
    re.MULTILINE,
)
#: Where that is right: what may have happened depends on how long was waited, or waits are the
#: product's own, by the clock on the wall.
_MEASURED: Final = {
    "conftest.py",
    "patience.py",
    "test_browser_requests.py",
    "test_feed_replay.py",
    "test_patience.py",
}


def test_a_busy_machine_is_waited_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience_module.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(patience_module.os, "nice", lambda _: 0)
    found = []
    for load in (0.0, 2.0, 6.0):
        monkeypatch.setattr(patience_module.os, "getloadavg", lambda load=load: (load, 0.0, 0.0))
        found.append(patience())
    assert found == [120, 120, 360]
    monkeypatch.setattr(patience_module.os, "nice", lambda _: 10)
    assert patience() > 9 * 360


def test_what_never_comes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience_module, "patience", lambda: 0.01)
    with pytest.raises(AssertionError, match="the moon did not come about"):
        wait_for(lambda: False, "the moon")
    assert wait_for(lambda: "a moon", "the moon") == "a moon"


def test_no_test_has_a_limit_of_its_own() -> None:
    files = [each for each in Path(__file__).parent.glob("*.py") if each.name not in _MEASURED]
    assert len(files) > 100
    found = [(each.name, m[0]) for each in files for m in _MEASURES.finditer(each.read_text())]
    assert found == []
