"""The product as it runs: in a process of its own, which serves until it is stopped or killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, TextIO

import requests

from tests.patience import patience
from tests.processes import PROCESSES, ROOT, serve


class Server:
    """A running server on ``folder``; leaves with its ``with`` block, whatever happens in it.

    It is forked off a process that has the product loaded, as to load it takes longer than most
    tests; :class:`Program` is started as its users start it."""

    # what its process runs
    _serve = staticmethod(serve)

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        self.folder = folder
        self.said: list[str] = []
        self._ready = threading.Event()
        lines = self._begin(("--data-dir", str(folder), "--port", str(port), *options))
        self._reader = threading.Thread(target=self._read, args=(lines,), daemon=True)
        self._reader.start()
        if not self._ready.wait(patience()) or not self.said:
            self.kill()
            raise RuntimeError("The server did not start:\n" + "\n".join(self.said))
        found = re.search(r"at (http://\S+:(\d+))", "\n".join(self.said))
        if found is None:
            self.kill()
            raise RuntimeError("The server did not start:\n" + "\n".join(self.said))
        self.url, self.port = found[1], int(found[2])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _begin(self, arguments: Sequence[str]) -> TextIO:
        """Start the process: what it prints."""
        said, saying = PROCESSES.Pipe(duplex=False)
        self._process = PROCESSES.Process(target=self._serve, args=(arguments, saying))
        self._process.start()
        saying.close()
        return os.fdopen(os.dup(said.fileno()))

    def _read(self, lines: TextIO) -> None:
        with lines:
            for line in lines:
                self.said.append(line.rstrip())
                if "http://" in line:
                    self._ready.set()
        self._ready.set()

    @property
    def pid(self) -> int:
        """The process that serves."""
        assert self._process.pid is not None
        return int(self._process.pid)

    def _signal(self, number: int) -> None:
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def _ended(self) -> int:
        """Its exit code, once it has ended."""
        self._process.join(patience())
        assert self._process.exitcode is not None, "the server does not stop"
        return int(self._process.exitcode)

    def ended(self) -> int:
        """Its exit code, once it has ended by itself."""
        code = self._ended()
        self._reader.join(patience())
        return code

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop and wait until it has; returns its exit code."""
        self._signal(number)
        return self.ended()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._signal(signal.SIGKILL)
        self._ended()
        self._reader.join(patience())

    def get(self, path: str = "/virtual_balance", **how: Any) -> requests.Response:
        """The answer to a GET."""
        return requests.get(self.url + path, timeout=patience(), **how)

    def post(
        self, body: object = None, path: str = "/virtual_balance", **how: Any
    ) -> requests.Response:
        """The answer to a POST of ``body`` as JSON (None: no body)."""
        return requests.post(self.url + path, json=body, timeout=patience(), **how)

    def ask(self, method: str, path: str, body: object = None, **how: Any) -> requests.Response:
        """The answer to a request with ``body`` as JSON (None: no body)."""
        return requests.request(method, self.url + path, json=body, timeout=patience(), **how)

    def balance(self) -> float:
        """The wallet balance that it answers."""
        return float(self.get().json()["balance"])


class Program(Server):
    """A running server that was started by ``python app.py``."""

    def _begin(self, arguments: Sequence[str]) -> TextIO:
        self._started = subprocess.Popen(
            [sys.executable, str(ROOT / "app.py"), *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._started.stdout is not None
        return self._started.stdout

    @property
    def pid(self) -> int:
        """The process that serves."""
        return self._started.pid

    def _signal(self, number: int) -> None:
        self._started.send_signal(number)

    def _ended(self) -> int:
        return self._started.wait(patience())
