"""JSON out and in: money as exact numbers, and nothing taken that is not plain JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import is_dataclass
from decimal import Decimal
from typing import Any, NoReturn

import simplejson

from balance.core.figures import plain
from balance.core.money import number_in
from balance.core.shape import members
from balance.core.snapshot import Snapshot


def encoded(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """``value`` as JSON; a Decimal becomes a number with all its digits, without exponent."""
    return simplejson.dumps(
        value,
        separators=(",", ":"),
        allow_nan=False,
        use_decimal=False,
        namedtuple_as_object=False,
        default=_raw,
    )


def _raw(value: Any) -> Any:
    """What is no JSON by itself, as something that is."""
    if isinstance(value, Decimal):
        return simplejson.RawJSON(plain(value))
    if isinstance(value, Mapping):
        return dict(value)
    if is_dataclass(value):
        return members(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def answer(snapshot: Snapshot, **more: Any) -> dict[str, Any]:
    """What a request that went well is answered with: the snapshot, and that it went well."""
    return {"status": "success", **more, **snapshot}


def success(document: Mapping[str, Any]) -> dict[str, Any]:
    """``document`` as it is answered to who asks for it, and pushed to who listens."""
    return {"status": "success", **document}


def decoded(body: bytes) -> Any:
    """The value that ``body`` holds as JSON (RFC 8259), every number as an exact Decimal.

    Raises:
        ValueError: not UTF-8, not JSON, NaN or Infinity, a number beyond what others can read, a
            name that comes twice in one object, or nested too deeply.
    """
    try:
        return json.loads(
            body.decode("utf-8"),
            parse_int=_number,
            parse_float=_number,
            parse_constant=_refused,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError as fault:
        raise ValueError("The body is not UTF-8.") from fault
    except json.JSONDecodeError as fault:
        raise ValueError(f"The body is not JSON: {fault}.") from fault
    except RecursionError as fault:
        raise ValueError("The body is nested too deeply.") from fault


def quoted_number(text: str) -> Decimal | None:
    """The exact number that ``text``, a text of JSON, writes; None where it writes none that JSON
    could have."""
    if number_in(text) is None:
        return None
    with suppress(ValueError):
        return _number(text)
    return None


def shown(value: Any) -> str:
    """``value`` as JSON has it, for a message: at most 40 characters."""
    return f"{json.dumps(value, ensure_ascii=False, default=str):.40}"


def _number(text: str) -> Decimal:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("The body holds a number that is too large for JSON.")
    # what others read as nothing is nothing: written out, 0e-999999999 would fill the memory
    return Decimal(text) if value else Decimal(0)


def _refused(name: str) -> NoReturn:
    raise ValueError(f"The body holds {name}, which is not JSON.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("The body names a member twice in one object.")
    return value
