"""Write what the server answers now as the golden answers: ``python -m tests.golden.record``.

Only where an issue changes an answer on purpose; the difference is to be read before it is kept.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

from tests.golden.clock import Clock
from tests.golden.questions import answers
from tests.golden.server import ANSWERS, NOW, golden_copy, served


def record(file: Path = ANSWERS) -> None:
    """Write the answers into ``file``, a line for each path."""
    with (
        tempfile.TemporaryDirectory() as folder,
        served(golden_copy(Path(folder)), Clock(NOW)) as client,
    ):
        found = answers(client)
    lines = [f"{json.dumps(path)}: {_text(each)}" for path, each in found.items()]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _text(found: object) -> str:
    """``found`` as JSON, its numbers with all the digits that they were answered with."""
    marked = json.dumps(found, default=lambda number: f"\0{number}\0", separators=(",", ":"))
    return re.sub(r'"\\u0000(.*?)\\u0000"', r"\1", marked)


if __name__ == "__main__":
    record()
