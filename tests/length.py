"""How long the longest tests are: ``LONG=1 bash tests/run.sh`` gives them all that they want."""

from __future__ import annotations

import os
from typing import Final

#: Whether there is time.
LONG: Final = bool(os.environ.get("LONG"))


def rounds(usual: int, long: int) -> int:
    """How often something is tried: ``long`` where there is time."""
    return long if LONG else usual
