"""The product as its users run it: ``python app.py`` in a process of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30


class Server:
    """A running server on ``folder``; leaves with its ``with`` block, whatever happens in it."""

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [
                sys.executable,
                str(ROOT / "app.py"),
                *("--data-dir", str(folder), "--port", str(port), *options),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._ready.wait(START_SECONDS) or not self.said:
            self.kill()
            raise RuntimeError("The server did not start:\n" + "\n".join(self.said))
        found = re.search(r"at (http://\S+:(\d+))", "\n".join(self.said))
        if found is None:
            self.kill()
            raise RuntimeError("The server did not start:\n" + "\n".join(self.said))
        self.url, self.port = found[1], int(found[2])

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()

    def _read(self) -> None:
        lines: Iterable[str] = self.process.stdout or ()
        for line in lines:
            self.said.append(line.rstrip())
            if "http://" in line:
                self._ready.set()
        self._ready.set()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop and wait until it has; returns its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=15)
        self._reader.join(timeout=5)
        return code

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self.process.wait()
        self._reader.join(timeout=5)

    def get(self, path: str = "/virtual_balance", **how: Any) -> requests.Response:
        """The answer to a GET."""
        return requests.get(self.url + path, timeout=10, **how)

    def post(
        self, body: object = None, path: str = "/virtual_balance", **how: Any
    ) -> requests.Response:
        """The answer to a POST of ``body`` as JSON (None: no body)."""
        return requests.post(self.url + path, json=body, timeout=10, **how)

    def balance(self) -> float:
        """The wallet balance that it answers."""
        return float(self.get().json()["balance"])
