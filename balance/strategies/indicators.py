"""TA-Lib, without the libraries of tables that it would load for series that no strategy has."""

from __future__ import annotations

import sys
from typing import Any, Final, cast

__all__ = ["talib"]

_TABLES: Final = ("polars", "pandas")

# None is not found, which TA-Lib takes for not there.
_modules = cast("dict[str, Any]", sys.modules)
_loaded = {each: _modules.get(each) for each in _TABLES}
_modules.update(_loaded)
try:
    import talib
finally:
    for _name, _module in _loaded.items():
        if _module is None:
            del _modules[_name]
