"""The commands that back an account up, and restore it."""

from __future__ import annotations

import argparse
from pathlib import Path

from balance.core.figures import grouped
from balance.core.moments import iso
from balance.shell.parts import AddCommand, Result
from balance.store.advice import program
from balance.store.backup import back_up, restore


def add_backup_commands(command: AddCommand) -> None:
    """Add ``backup`` and ``restore``."""
    parser = command("backup", "copy the whole account into one new file, also in trade", _back_up)
    parser.add_argument("file", type=Path, metavar="FILE.zip", help="the file to make")
    parser.add_argument("--force", action="store_true", help="write over a file of that name")
    parser = command("restore", "unpack a backup into an empty folder and prove it", _restore)
    parser.add_argument("file", type=Path, metavar="FILE.zip", help="the backup")


def _back_up(options: argparse.Namespace) -> Result:
    manifest = back_up(options.data_dir, options.file, overwrite=options.force)
    size = options.file.stat().st_size
    text = (
        f"Backed up: balance {grouped(manifest.balance)} USDT at revision {manifest.revision}, "
        f"{len(manifest.files)} files in {size:,} bytes."
    )
    members = {
        "message": text,
        "revision": manifest.revision,
        "balance": manifest.balance,
        "made_at": iso(manifest.made_at),
        "size": size,
        "files": [each.name for each in manifest.files],
        "note": manifest.note,
    }
    return Result(members, " ".join(filter(None, (text, manifest.note))))


def _restore(options: argparse.Namespace) -> Result:
    done = restore(options.file, options.data_dir)
    report, start = done.report, program(options.data_dir)
    text = f"Restored: {report.explanation}"
    members = {
        "message": text,
        "entries": report.entries,
        "revision": report.revision,
        "balance": done.manifest.balance,
        "made_at": iso(done.manifest.made_at),
        "command": start,
    }
    return Result(members, f"{text} Start on it: {start}")
