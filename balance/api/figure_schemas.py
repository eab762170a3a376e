"""The shapes of the figures of performance, read from their tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from balance.api.schema import Schemas
from balance.performance.figures import Figure, ShownFigure, types_of

#: Which figures a screen shows one below the other.
LISTED: Final = {
    "type": "array",
    "items": Schemas().record(ShownFigure),
    "description": "The figures that a screen shows, in their order.",
}


def figure_schemas(figures: Iterable[Figure[Any]]) -> dict[str, Any]:
    """The shape of each of ``figures`` by name."""
    return {name: Schemas().of(hint) for name, hint in types_of(figures).items()}
