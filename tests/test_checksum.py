"""A line of a file is proved by its checksum and by the line before it."""

from __future__ import annotations

import json

from balance.store.checksum import START, TAIL_BYTES, is_proved, sealed, stated
from tests.processes import ROOT

TEXT = b'{"revision":2,"amount":"102.00"}'
PREVIOUS = "0f4c2a9be1d3577a"


def test_a_sealed_line_is_the_document_with_its_checksum() -> None:
    line = sealed(TEXT, PREVIOUS)
    assert json.loads(line) == {**json.loads(TEXT), "checksum": stated(line)}
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert stated(line[-TAIL_BYTES:]) == stated(line)
    assert is_proved(line, PREVIOUS)


def test_no_changed_byte_is_proved() -> None:
    line = sealed(TEXT, PREVIOUS)
    for place in range(len(line)):
        for change in (1, 2, 32, 128):
            changed = bytearray(line)
            changed[place] ^= change
            assert not is_proved(bytes(changed), PREVIOUS), (place, change)
        assert not is_proved(line[:place], PREVIOUS)


def test_a_line_is_not_proved_behind_another_one() -> None:
    assert not is_proved(sealed(TEXT, PREVIOUS), START)
    assert not is_proved(sealed(TEXT), PREVIOUS)


def test_lines_of_older_versions_state_none() -> None:
    assert stated(TEXT + b"\n") is None
    assert not is_proved(TEXT + b"\n")


def test_the_example_of_the_manual_is_as_the_manual_says() -> None:
    page = (ROOT / "docs" / "files.md").read_text()
    (line,) = [each for each in page.splitlines() if each.startswith('{"revision"')]
    assert is_proved(line.encode() + b"\n", "0f4c2a9be1d3577a")
    assert "`0f4c2a9be1d3577a`" in page
