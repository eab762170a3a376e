"""Backups over HTTP: the whole account as one file to download, and the way back from it.

Both are the commands of the shell, each in a process of its own: proving a long ledger keeps one of
the machine's processors busy for a minute, and in this process everybody would wait for it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Annotated, Any, Final, TypedDict

from flask import Request, Response, request, send_file

from balance.api.operations import Answer, get, post
from balance.api.problems import Problem
from balance.api.requests import Parameters
from balance.api.schema import Schema, Schemas
from balance.core.errors import BackupFailed, BackupRefused
from balance.core.shape import Count, Doc, Money, Time
from balance.store import advice
from balance.store.advice import HOME
from balance.store.backup import reported, work_folder

#: No backup that is sent here may be larger, in bytes: a ledger of some ten million entries.
LARGEST_BACKUP: Final = 512 * 1024 * 1024
#: Where it is sent to, and what it must be declared as.
RESTORE_PATH: Final = "/backup/restore"
MEDIA_TYPE: Final = "application/zip"

_BUSY: Final = "A backup is being made or restored already. Try again when that is done."
# The exit code of a command that was refused; any other but 0 is a fault.
_REFUSED: Final = 1


class _ArchiveBody(Parameters):
    """A backup as the body."""

    is_body = True
    is_optional = False

    def content(self, _: Schemas) -> Schema:
        """It as OpenAPI describes it."""
        return {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}


def _archive(request: Request, _: object) -> IO[bytes]:
    request.max_content_length = LARGEST_BACKUP
    if request.content_length is not None and request.content_length > LARGEST_BACKUP:
        raise Problem(
            413,
            f"The backup is larger than {LARGEST_BACKUP // 1024**2} MiB. Restore it in a shell: "
            f"`{advice.command('restore FILE.zip --data-dir DIR', None)}`.",
        )
    if request.mimetype != MEDIA_TYPE:
        raise Problem(415, f"The body must be a backup: send Content-Type: {MEDIA_TYPE}.")
    return request.stream


Archive = Annotated[IO[bytes], _ArchiveBody(_archive, (413, 415, 422))]


class RestoredBackup(TypedDict):
    """What was restored, and how to start on it."""

    message: Annotated[str, Doc("What was found in the backup.")]
    entries: Annotated[Count, Doc("How many entries its ledger has.")]
    revision: Count
    balance: Annotated[Money, Doc("The wallet balance.")]
    made_at: Annotated[Time, Doc("When the backup was made.")]
    command: Annotated[str, Doc("What starts a server on it, in a shell.")]


class BackupRoutes:
    """Backups: the whole account as one file, and the way back from it."""

    tag = "backup"

    def __init__(
        self, folder: Path | None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """``folder`` is the data folder; None: the account is only in memory."""
        self._folder = folder
        self._clock = clock
        # One at a time, as each reads and proves the whole ledger.
        self._turn = threading.Lock()

    @get(
        "/backup",
        *(403, 409, 422, 503),
        types=(MEDIA_TYPE,),
        texts={
            409: "A backup is being made or restored already",
            503: "The account is damaged, or the disk refused",
        },
    )
    def download_backup(self) -> Response:
        """The whole account of this moment as a ZIP file, with a manifest of checksums.

        The account is proved first; others may trade meanwhile.
        """
        # A page of another site may not keep the machine busy with it.
        if request.headers.get("Sec-Fetch-Site") not in (None, "same-origin", "none"):
            raise Problem(403, "Pages of other sites may not have a backup made.")
        with (
            reported("The backup was not made"),
            self._taken_turn() as folder,
            work_folder(folder, ".backup.") as place,
        ):
            made = _run("backup", place / "backup.zip", folder)
            # It can be read to its end, though its name is gone before: a download may take long.
            file = (place / "backup.zip").open("rb")
            size = os.fstat(file.fileno()).st_size
        name = f"virtual-balance-{self._clock():%Y-%m-%d}-revision-{made['revision']}.zip"
        response = send_file(file, MEDIA_TYPE, as_attachment=True, download_name=name)
        response.content_length = size
        response.headers["Cache-Control"] = "no-store"
        return response

    @post(
        RESTORE_PATH,
        *(409, 503),
        texts={
            409: "A backup is being made or restored already",
            413: f"The backup is over {LARGEST_BACKUP // 1024**2} MiB",
            415: "The body is not declared as a ZIP file",
            422: "It is no whole backup; the detail says why",
            503: "The disk refused",
        },
    )
    def restore_backup(self, body: Archive) -> Answer[RestoredBackup]:
        """Unpack a backup into a new folder beside the data folder, and prove it.

        The account that is served stays as it is; the answer has the command that starts on the
        new folder.
        """
        with (
            reported("The backup was not restored"),
            self._taken_turn() as folder,
            work_folder(folder, ".upload.") as place,
        ):
            with (place / "backup.zip").open("wb") as file:
                shutil.copyfileobj(body, file)
            done = _run("restore", place / "backup.zip", self._place_beside(folder))
        return Answer({name: done[name] for name in RestoredBackup.__annotations__})

    @contextmanager
    def _taken_turn(self) -> Iterator[Path]:
        """The data folder, for whoever has the turn."""
        if self._folder is None:
            raise BackupRefused("The account is only in memory, so there is no backup of it.")
        if not self._turn.acquire(blocking=False):
            raise Problem(409, _BUSY)
        try:
            yield self._folder.resolve()
        finally:
            self._turn.release()

    def _place_beside(self, folder: Path) -> Path:
        """A new folder beside ``folder`` or, where nothing can be written there as in a container,
        in it."""
        name = f"{folder.name}-restored-{self._clock():%Y%m%d-%H%M%S}"
        is_open = os.access(folder.parent, os.W_OK)
        return (folder.parent if is_open else folder) / name


def _run(command: str, file: Path, folder: Path) -> dict[str, Any]:
    """What ``command`` of the shell answers, about ``file`` and ``folder``.

    Raises:
        BackupRefused, BackupFailed: it says why.
    """
    program = (sys.executable, "-m", "balance", command, str(file))
    done = subprocess.run(  # noqa: S603 - nothing of it is from the request
        [*program, "--data-dir", str(folder), "--json"],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        answer: dict[str, Any] = json.loads(done.stdout, parse_float=Decimal)
    except ValueError as fault:
        raise BackupFailed(
            f"The command {command!r} ended without an answer. Nothing was changed; run it in a "
            f"shell to see why: `{advice.command(f'{command} FILE.zip', folder)}`."
        ) from fault
    if done.returncode == _REFUSED:
        raise BackupRefused(answer["detail"])
    if done.returncode:
        raise BackupFailed(answer["detail"])
    return answer
