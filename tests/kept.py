"""Files of the data folder as a person puts them right, who has no checksum."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def kept(path: Path) -> Any:
    """The JSON document in the file at ``path``, without its checksum."""
    document = json.loads(path.read_bytes())
    document.pop("checksum", None)
    return document
