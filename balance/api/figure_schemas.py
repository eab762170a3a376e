"""The shapes of the figures of performance, read from their tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from balance.api.schemas import Schema, list_of, object_of
from balance.performance.figures import Figure

_TYPES: Final[Schema] = {
    "money": {"type": ["number", "null"]},
    "percent": {"type": ["number", "null"]},
    "ratio": {"type": ["number", "null"]},
    "count": {"type": ["integer", "null"], "minimum": 0},
    "seconds": {"type": ["integer", "null"], "minimum": 0},
}
#: Which figures a screen shows one below the other.
LISTED: Final = {
    **list_of(
        object_of(
            {
                "name": {"type": "string"},
                "label": {"type": "string"},
                "is_signed": {"type": "boolean", "description": "Whether it is a gain or a loss."},
                "better": {
                    "enum": ["greater", "smaller", ""],
                    "description": "Which of two is better: the greater, or the nearer to zero.",
                },
            }
        )
    ),
    "description": "The figures that a screen shows, in their order.",
}


def figure_schemas(figures: Iterable[Figure[Any]]) -> dict[str, Any]:
    """The shape of each of ``figures`` by name."""
    return {
        each.name: {
            **_TYPES[each.unit.name],
            "description": f"{each.words} Null where it is not known.",
        }
        for each in figures
    }
