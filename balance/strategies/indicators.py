"""TA-Lib, without the library of tables that it would load for series that no strategy has."""

from __future__ import annotations

import sys
from typing import Any, Final, cast

__all__ = ["talib"]

_TABLES: Final = "polars"

# None is not found, which TA-Lib takes for not there.
_modules = cast("dict[str, Any]", sys.modules)
_loaded = _modules.get(_TABLES)
_modules[_TABLES] = _loaded
try:
    import talib
finally:
    if _loaded is None:
        del _modules[_TABLES]
