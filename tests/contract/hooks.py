"""What Schemathesis can't know of the interface."""

from __future__ import annotations

from typing import Any

import schemathesis

from balance.api.encoding import quoted_number


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """Without bodies that have a number in quotes: these are read as the number, but described as
    one, as code generators make a class of its own of each member that is a number or a text."""
    return not _has_quoted_number(case.body)


def _has_quoted_number(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_quoted_number, value.values()))
    if isinstance(value, list):
        return any(map(_has_quoted_number, value))
    return isinstance(value, str) and quoted_number(value) is not None
