"""Processes beside the tests that start in some 10 ms: they are forked off one that has the product
loaded."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from tests.patience import be_patient

ROOT: Final = Path(__file__).resolve().parent.parent

PROCESSES: Final = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["__main__", "app", "tests.writers", "tests.warm"])


def serve(arguments: Sequence[str], said: Connection) -> None:
    """Be ``python app.py`` with ``arguments``; what it prints goes to ``said``."""
    os.chdir(ROOT)
    for each in (sys.stdout, sys.stderr):
        os.dup2(said.fileno(), each.fileno())
    import app

    be_patient()
    sys.exit(app.main(arguments))
