"""A repair always ends with a sound account, whatever is damaged, and keeps all that is proved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from balance.core.entry import Entry
from balance.core.errors import StoreUnreadable
from balance.store.codec import Unreadable, decode_entry, decode_state
from balance.store.file_store import ACCOUNT_FILE, LEDGER_FILE, FileStore
from balance.store.ledger_file import LedgerFile
from balance.store.repair import repair
from balance.store.salvage import differences
from balance.store.state import State
from balance.store.verification import verify
from tests.ledgers import lived, written

LIVES: Final = [lived(entries, seed, epochs_of=8) for entries, seed in ((12, 1), (40, 2), (70, 3))]

numbers = st.integers(min_value=0, max_value=10**6)
#: What happens to a line: its name, which line, and which byte of it or which other line.
damages = st.lists(
    st.tuples(
        st.sampled_from(["flip", "remove", "duplicate", "swap", "garbage", "cut", "forget"]),
        numbers,
        numbers,
    ),
    max_size=5,
)
accounts = st.one_of(
    st.none(), st.sampled_from(["remove", "empty", "older"]), st.tuples(numbers, numbers)
)


def damaged(lines: list[bytes], damage: tuple[str, int, int]) -> list[bytes]:
    """``lines`` after ``damage``."""
    kind, one, other = damage
    if not lines:
        return lines
    one %= len(lines)
    match kind:
        case "flip":
            line = bytearray(lines[one])
            line[other % len(line)] ^= 1 << other % 8
            return [*lines[:one], bytes(line), *lines[one + 1 :]]
        case "remove":
            return lines[:one] + lines[one + 1 :]
        case "duplicate":
            return lines[: one + 1] + lines[one:]
        case "swap":
            lines = [*lines]
            other %= len(lines)
            lines[one], lines[other] = lines[other], lines[one]
            return lines
        case "garbage":
            return [*lines[:one], b"\xff garbage\n", *lines[one:]]
        case "cut":
            return [*lines[:one], lines[one][: 1 + other % len(lines[one])]]
    return lines[:one]


def damage_account(path: Path, older: State, damage: object) -> None:
    text = path.read_bytes()
    match damage:
        case "remove":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "older":
            with TemporaryDirectory() as folder:
                written(Path(folder), [older])
                path.write_bytes((Path(folder) / ACCOUNT_FILE).read_bytes())
        case (int(place), int(bit)):
            changed = bytearray(text)
            changed[place % len(text)] ^= 1 << bit % 8
            path.write_bytes(changed)


def proved(folder: Path) -> Iterator[Entry]:
    """The entries of the lines of the ledger that are proved, each behind the one before it."""
    ledger = LedgerFile(folder / LEDGER_FILE)
    ledger.is_chained = True
    last = (0, 0)
    for line in ledger.lines():
        with suppress(Unreadable):
            entry = None if line.fault else decode_entry(line.text)
            if entry is not None and entry.place > last:
                last = entry.place
                yield entry


def read(folder: Path) -> State | None:
    """The account, if its seal is whole."""
    with suppress(OSError, Unreadable):
        state, is_sealed = decode_state((folder / ACCOUNT_FILE).read_bytes())
        return state if is_sealed else None
    return None


@settings(max_examples=150)
@given(st.sampled_from(range(len(LIVES))), damages, accounts)
def test_a_repair_keeps_what_is_proved_and_ends_with_a_sound_account(
    number: int, lines: list[tuple[str, int, int]], account: object
) -> None:
    life = LIVES[number]
    with TemporaryDirectory() as name:
        folder = Path(name)
        written(folder, life)
        ledger = folder / LEDGER_FILE
        texts = ledger.read_bytes().splitlines(keepends=True)
        for each in lines:
            texts = damaged(texts, each)
        ledger.write_bytes(b"".join(texts))
        damage_account(folder / ACCOUNT_FILE, life[len(life) // 2], account)
        sealed, sound = read(folder), list(proved(folder))
        found = verify(folder)
        try:
            report = repair(folder)
        except StoreUnreadable:
            assert (sealed, sound) == (None, [])
            return
        assert bool(report.faults) == bool(found.faults)
        after = verify(folder)
        assert after.faults == ()
        assert (after.entries, after.balance) == (report.entries, report.balance)
        repaired = read(folder)
        assert repaired is not None
        kept = list(proved(folder))
        ends = sealed.revision if sealed is not None else 10**9
        assert [entry for entry in sound if entry.revision != ends and entry not in kept] == []
        if sealed is not None:
            wallet = repaired.account.wallet
            assert wallet.balance == sealed.account.wallet.balance
            assert not any(differences(repaired.account, sealed.account)) or account == "older"
        if sealed is not None or (sound and sound[0].place == (1, 1)):
            assert repaired.account_id == life[0].account_id
        assert repair(folder).faults == ()
        # The next to write finds all in order.
        store = FileStore(folder)
        assert store.read() == repaired
        assert len(list(store.entries())) == report.entries
